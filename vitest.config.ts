import { defineConfig } from 'vitest/config';

// Real children, files and databases: forks, so that native modules live in processes of their own.
const project = (name: string, testTimeout: number) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      project('unit', 20_000),
      project('integration', 120_000),
      project('recovery', 300_000),
      project('native', 300_000),
      // Hours at a time: `npm run test:soak`.
      project('soak', 6 * 3_600_000),
    ],
  },
});

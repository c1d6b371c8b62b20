import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Real children, files and databases: forks, so that native modules live in processes of their own.
const project = (name: string, testTimeout: number) => ({
  extends: true as const,
  test: {
    ...{ name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout },
    // The daemons of tests would compete for the port of the page, and each would measure this machine first. Unit tests start
    // none, and read no such variable.
    env: name === 'unit' ? {} : { FRAMEKILN_PAGE_ENABLED: 'false', FRAMEKILN_ESTIMATE_MEASURE: 'false' },
  },
});

export default defineConfig({
  test: {
    pool: 'forks',
    // vitest leaves one processor free, which halves the speed on two; the tests mostly wait for ffmpeg and daemons.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // onnxruntime reads this when it is loaded, here and in every daemon that a test starts.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    tags: [
      {
        name: 'slow',
        description: 'Left out of `npm test`; `npm run test:all` and .ci/run run it.',
      },
    ],
    projects: [
      project('unit', 20_000),
      project('integration', 120_000),
      project('recovery', 300_000),
      project('native', 300_000),
      // Takes hours: `npm run test:soak`.
      project('soak', 6 * 3_600_000),
    ],
  },
});

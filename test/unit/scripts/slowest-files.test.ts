import { expect, it } from 'vitest';

const script = new URL('../../../scripts/test/slowest-files.mjs', import.meta.url).href;
const { slowestFiles } = (await import(script)) as {
  slowestFiles: (files: { name: string; ms: number }[]) => string[];
};

it('lists the ten slowest files, the slowest first', () => {
  const files = Array.from({ length: 12 }, (_, i) => ({ name: `${i}.test.ts`, ms: i * 1000 }));
  const [title, ...lines] = slowestFiles(files);
  expect(title).toBe('Slowest 10 of 12 test files (66.0 s in all files):');
  expect(lines).toHaveLength(10);
  expect(lines[0]).toMatch(/^ +11\.0 s {2}11\.test\.ts$/);
  expect(lines.at(-1)).toMatch(/ 2\.0 s {2}2\.test\.ts$/);
});

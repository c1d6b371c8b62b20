import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const build = join(root, 'native-cpu/build');
const program = join(build, 'framekiln-cpu');
const whyNot = existsSync(program) ? null : 'the CPU engine is not built (npm run build:native needs g++)';

test('every instruction set of this machine agrees with the CPU reference on new random models', ({
  skip,
}) => {
  if (whyNot !== null) skip(whyNot);
  const { status, stdout, stderr } = spawnSync(program, ['test'], { encoding: 'utf8' });
  // The output names the seed that repeats a failure.
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/^\d+ passed, 0 failed$/m);
  expect(stdout).toMatch(/passed: plain: models against the CPU reference/);
});

test.for(['address,undefined', 'thread'])(
  'the %s sanitizer finds nothing',
  { tags: ['slow'], timeout: 1_200_000 },
  async (sanitizer, { skip }) => {
    if (whyNot !== null) skip(whyNot);
    const folder = mkdtempSync(join(root, 'native-cpu/build-sanitized-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { buildCpu } = (await import(join(root, 'scripts/setup/cpu-build.mjs'))) as {
      buildCpu: (root: string, target: string, options: object) => Promise<{ ok: boolean; output: string }>;
    };
    const flags = ['-O1', '-g', `-fsanitize=${sanitizer}`, '-fno-sanitize-recover=all'];
    const built = await buildCpu(root, 'program', { folder: basename(folder), flags });
    expect(built.ok, built.output).toBe(true);
    const { status, stdout, stderr } = spawnSync(join(folder, 'framekiln-cpu'), ['test'], {
      encoding: 'utf8',
    });
    expect(status, stdout + stderr).toBe(0);
  },
);

test('the wide instructions of one set do not leak into code that every machine runs', ({ skip }) => {
  if (whyNot !== null) skip(whyNot);
  if (process.arch !== 'x64') skip('there is one instruction set');
  // The linker keeps one copy of a weak symbol, perhaps the one that a machine cannot execute.
  const objects = readdirSync(build).filter((name) => /^kernels_avx.*\.o$/.test(name));
  expect(objects.length).toBeGreaterThanOrEqual(3);
  for (const object of objects) {
    const symbols = execFileSync('nm', [join(build, object)], { encoding: 'utf8' });
    expect(symbols.match(/ [WVu] \S+/g)).toBeNull();
  }
});

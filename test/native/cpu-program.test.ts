import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const build = join(root, 'native-cpu/build');
const program = join(build, 'framekiln-cpu');
const whyNot = existsSync(program) ? null : 'the CPU engine is not built (npm run build:native needs g++)';
// Small models: sanitizers and emulators take minutes for a large one.
const SEED = '301';

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
    const built = await buildProgram(['-O1', '-g', `-fsanitize=${sanitizer}`, '-fno-sanitize-recover=all']);
    const { status, stdout, stderr } = spawnSync(built, ['test', SEED, '1'], { encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  },
);

test(
  'NEON agrees with the CPU reference, in an emulator',
  { tags: ['slow'], timeout: 1_200_000 },
  async ({ skip }) => {
    const compiler = 'aarch64-linux-gnu-g++';
    if (!isInstalled(compiler)) skip(`${compiler} is not installed (apt install g++-aarch64-linux-gnu)`);
    if (!isInstalled('qemu-aarch64-static'))
      skip('the emulator is not installed (apt install qemu-user-static)');
    const built = await buildProgram(['-O2', '-static'], compiler);
    const { status, stdout, stderr } = spawnSync('qemu-aarch64-static', [built, 'test', SEED, '1'], {
      encoding: 'utf8',
    });
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/passed: plain: models against the CPU reference/);
  },
);

test(
  'a processor without AVX runs the plain kernels and does not crash, in an emulator',
  { tags: ['slow'], timeout: 1_200_000 },
  ({ skip }) => {
    if (whyNot !== null) skip(whyNot);
    if (process.arch !== 'x64') skip('there is one instruction set');
    if (!isInstalled('qemu-x86_64-static'))
      skip('the emulator is not installed (apt install qemu-user-static)');
    const args = ['-cpu', 'Nehalem', program, 'test', SEED, '1'];
    const { status, stdout, stderr } = spawnSync('qemu-x86_64-static', args, { encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/passed: plain: models against the CPU reference/);
    expect(stdout).not.toContain('avx');
  },
);

test('the wide instructions of one set do not leak into code that every machine runs', ({ skip }) => {
  if (whyNot !== null) skip(whyNot);
  if (process.arch !== 'x64') skip('there is one instruction set');
  // The linker keeps one copy of a weak symbol, perhaps the one that a machine cannot execute.
  const objects = readdirSync(build).filter((name) => /^(kernels|yuv)_avx.*\.o$/.test(name));
  expect(objects.length).toBeGreaterThanOrEqual(6);
  for (const object of objects) {
    const symbols = execFileSync('nm', [join(build, object)], { encoding: 'utf8' });
    expect(symbols.match(/ [WVu] \S+/g)).toBeNull();
  }
});

async function buildProgram(flags: string[], compiler?: string): Promise<string> {
  const folder = mkdtempSync(join(root, 'native-cpu/build-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { buildCpu } = (await import(join(root, 'scripts/setup/cpu-build.mjs'))) as {
    buildCpu: (root: string, target: string, options: object) => Promise<{ ok: boolean; output: string }>;
  };
  const { ok, output } = await buildCpu(root, 'program', { folder: basename(folder), flags, compiler });
  expect(ok, output).toBe(true);
  return join(folder, 'framekiln-cpu');
}

function isInstalled(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0;
}

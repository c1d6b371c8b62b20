import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findAddon } from '../../../src/inference/find-addon.ts';
import { tinySrvgg } from '../../helpers/tiny-models.ts';

/*
 * The packages of a release, installed by the real npm into an empty folder of a machine without a compiler: PATH has
 * only what the program needs. They are built here, or lie in the folder FRAMEKILN_RELEASE.
 */
const project = resolve(import.meta.dirname, '../../..');
const release = process.env['FRAMEKILN_RELEASE'];
const missing = (release === undefined ? ['g++', 'objdump'] : []).filter(
  (name) => spawnSync(name, ['--version']).status !== 0,
);
const packageTest = test.skipIf(missing.length > 0);
const suffix = missing.length === 0 ? '' : ` (not installed: ${missing.join(', ')})`;
const SLOW = { tags: ['slow'], timeout: 300_000 };
let folder: string;
let packages: string;

function run(program: string, args: readonly string[]) {
  const env = { PATH: join(folder, 'bin'), HOME: join(folder, 'user') };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const framekiln = (...args: readonly string[]) => run(join(folder, 'node_modules/.bin/framekiln'), args);

beforeAll(() => {
  if (missing.length > 0) return;
  folder = mkdtempSync(join(tmpdir(), 'framekiln-installed-'));
  packages = join(folder, 'packages');
  const pack = ['scripts/release/pack.mjs', '--without-cuda', '--out', packages];
  if (release === undefined) execFileSync(process.execPath, pack, { cwd: project });
  else cpSync(release, packages, { recursive: true });
  mkdirSync(join(folder, 'bin'));
  for (const name of ['node', 'npm', 'ffmpeg', 'ffprobe', 'sh', 'env']) {
    const path = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    symlinkSync(path, join(folder, 'bin', name));
  }
  writeFileSync(join(folder, 'package.json'), '{}');
  const tarballs = readdirSync(packages).filter((name) => name.endsWith('.tgz'));
  // Install scripts of other packages would download or compile; better-sqlite3 gets what was compiled for this checkout.
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  const installed = run('npm', ['install', ...options, ...tarballs.map((name) => join(packages, name))]);
  expect(installed, installed.output).toMatchObject({ status: 0 });
  const sqlite = 'node_modules/better-sqlite3/build/Release';
  cpSync(join(project, sqlite, 'better_sqlite3.node'), join(folder, sqlite, 'better_sqlite3.node'));
  const image = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25', '-frames:v', '5'];
  for (const name of ['one.mp4', 'two.mp4'])
    execFileSync('ffmpeg', ['-v', 'error', ...image, join(folder, name)]);
}, 600_000);

afterAll(() => {
  if (missing.length === 0) rmSync(folder, { recursive: true, force: true });
});

packageTest(`a job runs, in a home outside of node_modules${suffix}`, SLOW, () => {
  const job = framekiln('run', 'one.mp4', '--model', 'lanczos');
  expect(job, job.output).toMatchObject({ status: 0 });
  expect(existsSync(join(folder, 'user/framekiln/output/one.mp4'))).toBe(true);
});

packageTest(`a model runs on the CPU addon of the package${suffix}`, SLOW, () => {
  writeFileSync(join(folder, 'tiny.onnx'), tinySrvgg());
  const job = framekiln('run', 'two.mp4', '--model', './tiny.onnx', '--device', 'cpu');
  expect(job, job.output).toMatchObject({ status: 0 });
  expect(job.output).toContain('Framekiln CPU engine');
});

packageTest(
  `\`gpu install\` installs the CUDA addon, which says why it finds no GPU${suffix}`,
  SLOW,
  async ({ skip }) => {
    const addon = findAddon('cuda', project);
    if (addon === null) skip('the CUDA addon is not built (npm run build:native needs nvcc)');
    const { stageAddon } = (await import(join(project, 'scripts/release/stage-packages.mjs'))) as {
      stageAddon: (root: string, addon: object, to: string) => void;
    };
    stageAddon(
      project,
      { name: 'cuda', path: addon, build: { driver: '1', glibc: '1' } },
      join(folder, 'cuda'),
    );
    const packed = run('npm', ['pack', join(folder, 'cuda'), '--silent', '--pack-destination', packages]);
    const wrong = framekiln('gpu', 'install', '--from', packages, '--sha256', 'ab');
    expect(wrong).toMatchObject({ status: 3, output: expect.stringContaining('instead of ab') as string });
    const sum = spawnSync('sha256sum', [packed.output.trim()], { cwd: packages, encoding: 'utf8' }).stdout;
    writeFileSync(join(packages, 'SHA256SUMS'), sum);
    const installed = framekiln('gpu', 'install', '--from', packages);
    expect(installed, installed.output).toMatchObject({ status: 0 });
    expect(framekiln('doctor').output).not.toContain('the CUDA addon is not installed');
  },
);

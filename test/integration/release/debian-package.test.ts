import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programVersion } from '../../../src/config/program-version.ts';
import { tinySrvgg } from '../../helpers/tiny-models.ts';

/*
 * The Debian package, installed by the real dpkg into an empty root folder, and run from there with only Node and ffmpeg on the
 * PATH. It is built here, or lies in the folder FRAMEKILN_RELEASE.
 */
const project = resolve(import.meta.dirname, '../../..');
const release = process.env['FRAMEKILN_RELEASE'];
const missing = ['dpkg-deb', ...(release === undefined ? ['g++', 'objdump'] : [])].filter(
  (name) => spawnSync(name, ['--version']).status !== 0,
);
const debTest = test.skipIf(missing.length > 0);
const suffix = missing.length === 0 ? '' : ` (not installed: ${missing.join(', ')})`;
const SLOW = { tags: ['slow'], timeout: 300_000 };
let folder: string;
let file: string;

function framekiln(...args: readonly string[]) {
  const env = { PATH: join(folder, 'bin'), HOME: join(folder, 'user') };
  const { status, stdout, stderr } = spawnSync(join(folder, 'root/usr/bin/framekiln'), args, {
    ...{ cwd: folder, env, encoding: 'utf8' },
  });
  return { status, output: stdout + stderr };
}

beforeAll(() => {
  if (missing.length > 0) return;
  folder = mkdtempSync(join(tmpdir(), 'framekiln-debian-'));
  const packages = release ?? join(folder, 'packages');
  const build = ['scripts/release/build-deb.mjs', '--without-cuda', '--out', packages];
  if (!existsSync(packages)) execFileSync(process.execPath, build, { cwd: project });
  file = join(packages, readdirSync(packages).find((name) => name.endsWith('.deb')) ?? 'no .deb file');

  const database = join(folder, 'root/var/lib/dpkg');
  for (const each of ['info', 'updates']) mkdirSync(join(database, each), { recursive: true });
  writeFileSync(join(database, 'status'), '');
  // What the package depends on is outside of this root folder.
  const force = ['--force-not-root', '--force-depends', '--force-bad-path'];
  execFileSync('dpkg', ['--root', join(folder, 'root'), ...force, '--log=/dev/null', '--install', file], {
    stdio: 'pipe',
  });
  mkdirSync(join(folder, 'bin'));
  for (const name of ['node', 'ffmpeg', 'ffprobe', 'env']) {
    const path = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    symlinkSync(path, join(folder, 'bin', name));
  }
}, 900_000);

afterAll(() => {
  if (missing.length === 0) rmSync(folder, { recursive: true, force: true });
});

debTest(`the package says what it needs, and brings nothing for other platforms${suffix}`, SLOW, () => {
  const field = (name: string) => execFileSync('dpkg-deb', ['--field', file, name], { encoding: 'utf8' });
  expect(field('Version').trim()).toBe(programVersion());
  expect(field('Depends')).toMatch(
    /^nodejs \(>= [\d.]+\), nodejs \(<< \d+~\), libc6 \(>= 2\.\d+\), libstdc\+\+6, ffmpeg \(>= 7:5\.1\)$/m,
  );
  const paths = execFileSync('dpkg-deb', ['--contents', file], { encoding: 'utf8', maxBuffer: 1e8 });
  expect(paths).not.toMatch(/node_modules\/(typescript|vitest|eslint)\/|(win32|darwin)\/|\.(dll|map)$/m);
  // Files of other users are not writable for everyone, and those of the package are readable.
  expect(
    paths
      .split('\n')
      .filter((line) => /^[d-]/.test(line) && !/^.r[w-][x-]r-[x-]r-[x-] root\/root /.test(line)),
  ).toEqual([]);
  expect(existsSync(join(folder, 'root/usr/share/bash-completion/completions/framekiln'))).toBe(true);
});

debTest(`the installed command tells its version and checks the machine${suffix}`, SLOW, () => {
  expect(framekiln('--version')).toEqual({ status: 0, output: `${programVersion()}\n` });
  const { output } = framekiln('doctor');
  expect(output).toContain(join(folder, 'user/framekiln'));
  expect(output).toMatch(/ffmpeg version \d/);
});

debTest(`a model runs on the CPU addon of the package${suffix}`, SLOW, () => {
  writeFileSync(join(folder, 'tiny.onnx'), tinySrvgg());
  const image = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25', '-frames:v', '5'];
  execFileSync('ffmpeg', ['-v', 'error', ...image, join(folder, 'clip.mp4')]);
  const job = framekiln('run', 'clip.mp4', '--model', './tiny.onnx', '--device', 'cpu');
  expect(job, job.output).toMatchObject({ status: 0 });
  expect(job.output).toContain('Framekiln CPU engine');
  expect(existsSync(join(folder, 'user/framekiln/output/clip.mp4'))).toBe(true);
});

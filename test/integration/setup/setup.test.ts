import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/*
 * The real set-up scripts and the real compiler in a small project of its own. npm, apt-get, sudo and ffmpeg are
 * executables of the test, alone on PATH, that note how they were called.
 */
const project = fileURLToPath(new URL('../../..', import.meta.url));
let root: string;
let bin: string;
let calls: string;

const MAIN = `
import { writeFileSync } from 'node:fs';
const [room, verb, ...names] = process.argv.slice(2);
if (room !== 'models' || verb !== 'pull') throw new Error('unexpected');
for (const name of names.slice(0, names.indexOf('--home'))) {
  process.stdout.write('fetched ' + name + '\\n');
  writeFileSync('models/' + name + '.onnx', name);
}
`;

function write(name: string, content: string): void {
  writeFileSync(join(root, name), content);
}

function executable(name: string, script: string): void {
  const path = join(bin, name);
  writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> "${calls}"\n${script}\n`);
  chmodSync(path, 0o755);
}

function giveFfmpeg(version = '5.1.9-0+deb12u1'): void {
  for (const name of ['ffmpeg', 'ffprobe']) {
    executable(name, `echo "${name} version ${version} Copyright (c) somebody"`);
  }
}

function setUp(): { code: number | null; stdout: string; stderr: string; calls: string[] } {
  rmSync(calls, { force: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/setup.mjs'], {
    cwd: root,
    env: { PATH: bin },
    encoding: 'utf8',
  });
  const noted = existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : [];
  return { code: status, stdout, stderr, calls: noted };
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'framekiln-setup-'));
  bin = join(root, 'bin');
  calls = join(root, 'calls.txt');
  for (const folder of ['bin', 'src', 'models']) mkdirSync(join(root, folder));
  cpSync(join(project, 'scripts'), join(root, 'scripts'), { recursive: true });
  cpSync(join(project, 'tsconfig.build.json'), join(root, 'tsconfig.build.json'));
  cpSync(join(project, 'tsconfig.json'), join(root, 'tsconfig.json'));
  write('package.json', '{ "type": "module" }');
  write('package-lock.json', '{}');
  write('src/main.ts', MAIN);
  write('src/other.ts', 'export const other = 1;\n');
  symlinkSync('/usr/bin/env', join(bin, 'env'));
  executable(
    'npm',
    `/bin/rm -rf node_modules
/bin/mkdir node_modules\nfor each in typescript @tsconfig @types undici-types; do
/bin/ln -s "${project}/node_modules/$each" node_modules/$each; done`,
  );
  executable('sudo', 'shift; exec "$@"');
  executable('true', '');
  giveFfmpeg();
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('npm run setup', () => {
  it('makes everything ready once, and then does nothing', () => {
    const first = setUp();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.calls).toEqual([
      'npm ci --include=dev --no-audit --no-fund',
      'ffmpeg -version',
      'ffprobe -version',
    ]);
    expect(
      first.stdout
        .replaceAll(/\d+\.\d s/g, 'N s')
        .trimEnd()
        .split('\n'),
    ).toEqual([
      'Installing the npm packages (a minute or two) … done in N s',
      'Building … done in N s',
      'fetched realesr-general-x4v3',
      'fetched RealESRGAN_x4plus',
      'fetched blazeface-full-range',
      'fetched face-recognition',
    ]);

    expect(setUp()).toEqual({ code: 0, stdout: '', stderr: '', calls: [] });
  });

  it('builds again when a source changes, and keeps nothing of a source that is gone', () => {
    setUp();
    expect(existsSync(join(root, 'dist/other.js'))).toBe(true);
    rmSync(join(root, 'src/other.ts'));
    const again = setUp();
    expect(again.stdout).toMatch(/^Building … done in \d+\.\d s\n$/);
    expect(again.calls).toEqual([]);
    expect(existsSync(join(root, 'dist/other.js'))).toBe(false);
  });

  it('installs again when the lock file changes', () => {
    setUp();
    write('package-lock.json', '{ "lockfileVersion": 3 }');
    expect(setUp().calls[0]).toBe('npm ci --include=dev --no-audit --no-fund');
  });

  it('shows the compiler’s words and stays unbuilt when the sources are faulty', () => {
    write('src/other.ts', 'export const other: string = 1;\n');
    const faulty = setUp();
    expect(faulty.code).toBe(3);
    expect(faulty.stderr).toMatch(/^The build failed:\nsrc\/other\.ts\(1,14\): error TS2322/);
    write('src/other.ts', 'export const other = 1;\n');
    expect(setUp().code).toBe(0);
  });

  it('installs ffmpeg with apt where it may', () => {
    for (const name of ['ffmpeg', 'ffprobe']) rmSync(join(bin, name));
    const script = ['ffmpeg', 'ffprobe']
      .map(
        (name) =>
          `printf '#!/bin/sh\\necho ${name} version 6.0' > ${bin}/${name}; /bin/chmod +x ${bin}/${name}`,
      )
      .join('\n');
    executable('apt-get', `if [ "$1" = install ]; then\n${script}\nfi`);
    const result = setUp();
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.calls).toContain('apt-get update');
    expect(result.calls).toContain('apt-get install -y --no-install-recommends ffmpeg');
  });

  it('says in one sentence what is missing where it may not install it', () => {
    rmSync(join(bin, 'ffprobe'));
    const result = setUp();
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/^Framekiln needs ffmpeg 5\.1 or newer with ffprobe, .*\n$/);
  });

  it('rejects an ffmpeg that is too old, and takes a build without a number', () => {
    giveFfmpeg('4.4.2-0ubuntu0.22.04.1');
    const old = setUp();
    expect(old.code).toBe(3);
    expect(old.stderr).toMatch(/needs ffmpeg 5\.1 or newer, and PATH has ffmpeg version 4\.4\.2-0ubuntu/);
    giveFfmpeg('N-109542-gaaaaaaaaaa');
    expect(setUp().code).toBe(0);
  });

  it('installs a compiler and tries once more where npm fails without one', () => {
    for (const name of ['python3', 'make']) executable(name, '');
    const npm = readFileSync(join(bin, 'npm'), 'utf8');
    writeFileSync(
      join(bin, 'npm'),
      npm.replace('\n/bin/rm', `\n[ -x ${bin}/g++ ] || { echo no compiler; exit 1; }\n/bin/rm`),
    );
    executable('apt-get', `printf '' > ${bin}/g++; /bin/chmod +x ${bin}/g++`);
    const result = setUp();
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.calls).toContain('apt-get install -y --no-install-recommends g++');
  });

  it('passes on npm’s words when it fails for another reason', () => {
    for (const name of ['python3', 'make', 'g++']) executable(name, '');
    executable('npm', 'echo registry is down >&2; exit 1');
    expect(setUp()).toMatchObject({
      code: 3,
      stderr: '`npm ci` failed; its last words:\nregistry is down\n',
    });
  });

  it('says what to do when the models cannot be fetched', () => {
    write('src/main.ts', "throw new Error('no registry');\n");
    const result = setUp();
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('The default models could not be fetched');
  });

  it('builds the CUDA addon where nvcc and its sources are, and goes on when that fails', () => {
    mkdirSync(join(root, 'native-cuda'));
    write('native-cuda/CMakeLists.txt', '# one');
    setUp();
    for (const name of ['nvcc', 'c++']) executable(name, '');
    executable('cmake', 'echo cmake broke; exit 1');
    const result = setUp();
    const source = join(root, 'native-cuda');
    expect(result.calls).toEqual([`cmake -S ${source} -B ${join(source, 'build')}`]);
    expect(result.code).toBe(0);
    expect(result.stderr).toBe('The CUDA addon could not be built, so the CPU is used:\ncmake broke\n');
    expect(setUp()).toEqual({ code: 0, stdout: '', stderr: '', calls: [] });
  });
});

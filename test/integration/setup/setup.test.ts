import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/*
 * The real set-up scripts and the real compiler, in a small project made for the test. npm, apt-get, sudo and ffmpeg are
 * fakes that log their calls; PATH has nothing else.
 */
const project = fileURLToPath(new URL('../../..', import.meta.url));
let root: string;
let bin: string;
let calls: string;

const MAIN = `
import { writeFileSync } from 'node:fs';
const [command, verb, ...names] = process.argv.slice(2);
if (command !== 'models' || verb !== 'pull') throw new Error('unexpected');
for (const name of names.slice(0, names.indexOf('--home'))) {
  process.stdout.write('downloaded ' + name + '\\n');
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

function installFfmpeg(version = '5.1.9-0+deb12u1'): void {
  for (const name of ['ffmpeg', 'ffprobe']) {
    executable(name, `echo "${name} version ${version} Copyright (c) somebody"`);
  }
}

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: readonly string[];
}

const setUp = (): Result => runNode('scripts/setup.mjs');

function runNode(...args: readonly string[]): Result {
  rmSync(calls, { force: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { PATH: bin },
    encoding: 'utf8',
  });
  const logged = existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : [];
  return { code: status, stdout, stderr, calls: logged };
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
  installFfmpeg();
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('npm run setup', () => {
  it('sets everything up once, and then does nothing', () => {
    const first = setUp();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.calls).toEqual([
      'npm ci --include=dev --no-audit --no-fund --engine-strict=false',
      'ffmpeg -version',
      'ffprobe -version',
    ]);
    expect(
      first.stdout
        .replaceAll(/\d+\.\d s/g, 'N s')
        .trimEnd()
        .split('\n'),
    ).toEqual([
      'Installing npm packages (a minute or two) … done in N s',
      'Building … done in N s',
      'downloaded realesr-general-x4v3',
      'downloaded RealESRGAN_x4plus',
      'downloaded blazeface-full-range',
      'downloaded face-recognition',
    ]);

    expect(setUp()).toEqual({ code: 0, stdout: '', stderr: '', calls: [] });
  });

  it('builds again when a source changes, and removes the output of a deleted source', () => {
    setUp();
    expect(existsSync(join(root, 'dist/other.js'))).toBe(true);
    rmSync(join(root, 'src/other.ts'));
    const again = setUp();
    expect(again.stdout).toMatch(/^Building … done in \d+\.\d s\n$/);
    expect(again.calls).toEqual([]);
    expect(existsSync(join(root, 'dist/other.js'))).toBe(false);
  });

  it.each([
    ['npm start', ['scripts/start.mjs']],
    ['its main script', [join('dist', 'main.js'), 'start']],
  ])('does not replace the program files under a daemon that was started with %s', async (_, args) => {
    write(
      'src/main.ts',
      `if (process.argv[2] === 'start') {\n  console.log('started');\n  await new Promise(() => setInterval(() => undefined, 1000));\n}\n${MAIN}`,
    );
    setUp();
    const built = readFileSync(join(root, 'dist/main.js'), 'utf8');
    const daemon = spawn(process.execPath, args, { cwd: root, env: { PATH: bin } });
    try {
      await once(daemon.stdout, 'data');
      write('src/other.ts', 'export const other = 2;\n');
      const refused = setUp();
      expect(refused.code).toBe(3);
      expect(refused.stderr).toMatch(/^Framekiln is running from this folder \(process \d+\), .*\n$/);
      write('package-lock.json', '{ "lockfileVersion": 3 }');
      expect(setUp()).toMatchObject({ code: 3, calls: [] });
      expect(readFileSync(join(root, 'dist/main.js'), 'utf8')).toBe(built);
    } finally {
      daemon.kill('SIGKILL');
    }
  });

  it('installs again when the lock file changes', () => {
    setUp();
    write('package-lock.json', '{ "lockfileVersion": 3 }');
    expect(setUp().calls[0]).toBe('npm ci --include=dev --no-audit --no-fund --engine-strict=false');
  });

  it('prints the compiler errors of faulty sources, and builds again once they are fixed', () => {
    write('src/other.ts', 'export const other: string = 1;\n');
    const faulty = setUp();
    expect(faulty.code).toBe(3);
    expect(faulty.stderr).toMatch(/^The build failed:\nsrc\/other\.ts\(1,14\): error TS2322/);
    write('src/other.ts', 'export const other = 1;\n');
    expect(setUp().code).toBe(0);
  });

  it('installs ffmpeg with apt where that is permitted', () => {
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

  it('says in one sentence what is missing where apt is not permitted', () => {
    rmSync(join(bin, 'ffprobe'));
    const result = setUp();
    expect(result.code).toBe(3);
    expect(result.stdout).toMatch(/Installing ffmpeg with apt … failed\n$/);
    expect(result.stderr).toMatch(
      /^Framekiln needs ffmpeg and ffprobe 5\.1 or newer, but there is no ffprobe on PATH; .*\n$/,
    );
  });

  it('rejects an ffmpeg that is too old, and accepts a build without a version number', () => {
    installFfmpeg('4.4.2-0ubuntu0.22.04.1');
    const old = setUp();
    expect(old.code).toBe(3);
    expect(old.stderr).toMatch(/needs ffmpeg 5\.1 or newer, but PATH has ffmpeg version 4\.4\.2-0ubuntu/);
    installFfmpeg('N-109542-gaaaaaaaaaa');
    expect(setUp().code).toBe(0);
  });

  it('installs a compiler and retries when npm fails without one', () => {
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

  it('names the compiler that npm needs where apt is not permitted', () => {
    executable('npm', 'echo no compiler; exit 1');
    for (const name of ['python3', 'g++']) executable(name, '');
    const result = setUp();
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(
      /there is no make; .* `sudo apt-get install make`\) and try again:\nno compiler\n$/,
    );
    rmSync(join(bin, 'g++'));
    expect(setUp().stderr).toMatch(/there is no make or g\+\+; /);
  });

  it('prints the output of npm when it fails for another reason', () => {
    for (const name of ['python3', 'make', 'g++']) executable(name, '');
    executable('npm', 'echo registry is down >&2; exit 1');
    expect(setUp()).toMatchObject({
      code: 3,
      stderr: '`npm ci` failed:\nregistry is down\n',
    });
  });

  it('says what to do when the models cannot be installed', () => {
    write('src/main.ts', "throw new Error('no registry');\n");
    const result = setUp();
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('The default models could not be installed');
  });

  it('builds nothing native on a machine without an NVIDIA driver', () => {
    const { buildAddon } = nativeProject();
    expect(buildAddon()).toEqual({ code: 0, stdout: '', stderr: '', calls: [] });
  });

  it('builds the CUDA addon where a driver and nvcc are found, and continues when the build fails', () => {
    const { source, system, buildAddon } = nativeProject();
    mkdirSync(join(system, 'dev'));
    writeFileSync(join(system, 'dev/nvidiactl'), '');
    const result = buildAddon();
    expect(result.calls).toEqual([`cmake -S ${source} -B ${join(source, 'build')}`]);
    expect(result.code).toBe(0);
    expect(result.stderr).toBe(
      'Models run with WebGPU or on the CPU, which is slower, because the CUDA addon could not be built:\ncmake broke\n',
    );
    expect(buildAddon()).toEqual({ code: 0, stdout: '', stderr: '', calls: [] });
  });
});

describe('the CPU addon', () => {
  it('is reported once as not built where there is no C++ compiler, and set-up continues', () => {
    const { buildAddon } = cpuProject();
    const result = buildAddon();
    expect(result).toMatchObject({ code: 0, calls: [] });
    expect(result.stderr).toBe(
      'Models on the CPU will run with onnxruntime, which is slower, because the CPU addon could not be built:\nno C++ compiler was found (to install one on Debian: apt install g++)\n',
    );
    expect(buildAddon()).toEqual({ code: 0, stdout: '', stderr: '', calls: [] });
  });

  it('is built when a compiler is there, with its own flags for each instruction set, and not again', () => {
    const { buildAddon } = cpuProject();
    buildAddon();
    const answers = 'case "$*" in -dumpmachine) echo x86_64-linux-gnu; exit ;; *" -E "*) exit ;; esac';
    executable('g++', `${answers}\nwhile [ "$1" != -o ]; do shift; done; echo x > "$2"`);
    const result = buildAddon();
    expect(result.code, result.stderr).toBe(0);
    const kernels = result.calls.filter((call) => call.includes('-c native-cpu/engine/kernels.cc'));
    const withFlag = (flag: string) => kernels.filter((call) => call.includes(flag));
    expect(kernels).toHaveLength(5);
    expect(withFlag('-mavx512f')).toHaveLength(2);
    expect(withFlag('-mavxvnni')).toHaveLength(1);
    expect(existsSync(join(root, 'native-cpu/build/framekiln_cpu.node'))).toBe(true);
    expect(buildAddon().calls).toEqual([]);
  });

  it('is reported with the message of the compiler when the build fails', () => {
    const { buildAddon } = cpuProject();
    executable('g++', 'echo kernels.cc:7: broken; exit 1');
    const { code, stderr } = buildAddon();
    expect(code).toBe(0);
    expect(stderr).toContain('could not be built:\nkernels.cc:7: broken\n');
  });
});

function cpuProject() {
  mkdirSync(join(root, 'native-cpu/engine'), { recursive: true });
  write('native-cpu/engine/kernels.cc', '// one');
  const code = `import { ensureCpuAddon } from './scripts/setup/cpu-build.mjs';
    await ensureCpuAddon(${JSON.stringify(root)});`;
  return { buildAddon: () => runNode('--input-type=module', '--eval', code) };
}

/** Native sources, and the tools to build them; cmake fails. */
function nativeProject() {
  const system = join(root, 'system');
  const source = join(root, 'native-cuda');
  mkdirSync(system);
  mkdirSync(source);
  write('native-cuda/CMakeLists.txt', '# one');
  for (const name of ['nvcc', 'c++']) executable(name, '');
  executable('cmake', 'echo cmake broke; exit 1');
  const code = `import { ensureNativeAddon } from './scripts/setup/native-build.mjs';
    await ensureNativeAddon(${JSON.stringify(root)}, ${JSON.stringify(system)});`;
  return { source, system, buildAddon: () => runNode('--input-type=module', '--eval', code) };
}

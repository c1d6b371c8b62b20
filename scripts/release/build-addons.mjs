import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { buildCpu } from '../setup/cpu-build.mjs';
import { CUDA_BIN } from '../setup/native-build.mjs';
import { runCommand } from '../setup/run-command.mjs';

/** The C++ runtime goes into the addon, so that only the age of glibc decides where it loads; symbols are stripped. */
export const PORTABLE = ['-static-libstdc++', '-static-libgcc', '-Wl,--exclude-libs,ALL', '-s'];

/** The oldest driver that runs programs of a CUDA toolkit with cudart linked in, by the toolkit's major version. */
const OLDEST_DRIVER = { 12: '525.60.13', 13: '580.65.06' };

/**
 * A prebuilt addon and what it was built with.
 *
 * @typedef {{ name: 'cpu' | 'cuda', path: string, build: Record<string, string> }} BuiltAddon
 */

/**
 * Builds the CPU addon for every processor of this architecture.
 *
 * @param {string} root the project's folder
 * @param {string} folder name of the folder in native-cpu/ that it is built in
 * @returns {Promise<BuiltAddon>}
 */
export async function buildCpuAddon(root, folder) {
  expectOk(await buildCpu(root, 'addon', { folder, flags: PORTABLE }));
  const path = join(root, 'native-cpu', folder, 'framekiln_cpu.node');
  return { name: 'cpu', path, build: { compiler: await firstLine('g++'), glibc: await glibcOf(path) } };
}

/**
 * Builds the CUDA addon for every GPU from compute capability 7.5 on; takes minutes.
 *
 * @param {string} root the project's folder
 * @returns {Promise<BuiltAddon>}
 */
export async function buildCudaAddon(root) {
  const source = join(root, 'native-cuda');
  const build = join(source, 'build-release');
  mkdirSync(build, { recursive: true });
  const env = { ...process.env, PATH: [process.env.PATH, CUDA_BIN].join(delimiter) };
  const link = `-DCMAKE_MODULE_LINKER_FLAGS=${PORTABLE.join(' ')}`;
  expectOk(await runCommand('cmake', ['-S', source, '-B', build, link], { env }));
  const jobs = String(availableParallelism());
  expectOk(
    await runCommand('cmake', ['--build', build, '--target', 'framekiln_cuda', '--parallel', jobs], { env }),
  );
  const path = join(build, 'framekiln_cuda.node');
  const { output } = await runCommand('nvcc', ['--version'], { env });
  const cuda = /release [\d.]+, V([\d.]+)/.exec(output)?.[1] ?? '';
  const driver = OLDEST_DRIVER[Number.parseInt(cuda, 10)];
  if (driver === undefined) throw new Error(`the oldest driver for CUDA ${cuda} is not known`);
  return {
    name: 'cuda',
    path,
    build: { nvcc: cuda, driver, compiler: await firstLine('g++'), glibc: await glibcOf(path) },
  };
}

async function firstLine(program) {
  const { output } = await runCommand(program, ['--version']);
  return output.split('\n')[0] ?? '';
}

/** The newest version of glibc whose symbols the file uses: where glibc is older, it cannot be loaded. */
export async function glibcOf(path) {
  const { output } = await runCommand('objdump', ['-T', path]);
  const versions = [...output.matchAll(/GLIBC_([\d.]+)/g)].map(([, version]) => version);
  return versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) ?? '';
}

function expectOk({ ok, output }) {
  if (!ok) throw new Error(output.trimEnd());
}

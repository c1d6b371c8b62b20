import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { reportStep, SetupError } from './report.mjs';
import { findOnPath, runCommand } from './run-command.mjs';
import { hashFiles, readStamp, writeStamp } from './stamp.mjs';

const SOURCES = [
  'CMakeLists.txt',
  'addon',
  'cuda',
  'emulator',
  'engine',
  'kernels',
  'plan',
  'program',
  'reference',
];
/** Where NVIDIA's installer puts it, which it does not put on the PATH. */
const CUDA_BIN = '/usr/local/cuda/bin';

/**
 * Builds the CUDA addon where nvcc is. Its absence is a normal state, so a build that fails is told once and not
 * fatal; it is tried again when the sources change.
 *
 * @param {string} root the project's folder
 */
export async function ensureNativeAddon(root) {
  if (findNvcc() === null || findMissingTool() !== null) return;
  const { failure, isNews } = await buildOnce(root, 'Building the CUDA addon');
  if (failure !== null && isNews) {
    console.error(`The CUDA addon could not be built, so the CPU is used:\n${failure}`);
  }
}

/**
 * Builds the native program, whose tests run without a GPU, and where nvcc is the addon with it.
 *
 * @param {string} root the project's folder
 * @throws {SetupError} when the build fails: its tests would be skipped else
 */
export async function ensureNativeProgram(root) {
  const missing = findMissingTool();
  if (missing !== null) {
    console.error(
      `${missing} was not found, so the native code is not tested (Debian: apt install cmake g++).`,
    );
    return;
  }
  const { failure } = await buildOnce(root, 'Building the native test program');
  if (failure !== null) throw new SetupError(`The native code could not be built:\n${failure}`);
}

/** Builds whatever the machine has tools for. `npm run build:native` does it every time and shows the output. */
export async function buildNative(root, options = {}) {
  const source = join(root, 'native-cuda');
  const build = join(source, 'build');
  const env = { ...process.env, PATH: [process.env.PATH, CUDA_BIN].join(delimiter) };
  const configured = await runCommand('cmake', ['-S', source, '-B', build], { env, ...options });
  if (!configured.ok) return configured;
  return runCommand('cmake', ['--build', build, '--parallel', String(availableParallelism())], {
    env,
    ...options,
  });
}

/** `failure`: what a failed build printed, null when all is well; `isNews`: whether it was tried just now. */
async function buildOnce(root, title) {
  const stampFile = join(root, 'node_modules', '.framekiln-native.json');
  const stamp = `${findNvcc() ?? 'no nvcc'} ${hashFiles(join(root, 'native-cuda'), SOURCES)}`;
  const known = readStamp(stampFile);
  if (known?.stamp === stamp) return { failure: known.failure, isNews: false };
  const { ok, output } = await reportStep(title, () => buildNative(root));
  const failure = ok ? null : output.trimEnd();
  writeStamp(stampFile, { stamp, failure });
  return { failure, isNews: true };
}

function findNvcc() {
  return findOnPath('nvcc') ?? (existsSync(join(CUDA_BIN, 'nvcc')) ? join(CUDA_BIN, 'nvcc') : null);
}

function findMissingTool() {
  return ['cmake', 'c++'].find((tool) => findOnPath(tool) === null) ?? null;
}

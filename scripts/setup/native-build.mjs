import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { hasNvidiaDriver } from './nvidia-driver.mjs';
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
/** Where NVIDIA's installer puts nvcc without adding it to PATH. */
export const CUDA_BIN = '/usr/local/cuda/bin';

/**
 * Builds the CUDA addon where an NVIDIA driver, nvcc, CMake and a C++ compiler are found: without a driver it could not be used, and the
 * build takes minutes. A failed build is reported once and is not fatal, because Framekiln also runs on the CPU; the
 * build is tried again when its sources change.
 *
 * @param {string} root the project's folder
 * @param {string} [systemRoot] `/`, unless a test says otherwise
 */
export async function ensureNativeAddon(root, systemRoot = '/') {
  if (existsSync(join(root, 'native-cuda/prebuilt/framekiln_cuda.node'))) return; // `framekiln gpu install` did it.
  if (!hasNvidiaDriver(systemRoot) || findNvcc() === null || findMissingTool() !== null) return;
  const { failure, isNews } = await buildOnce(root, 'Building the CUDA addon (a minute or two)');
  if (failure !== null && isNews) {
    console.error(
      `Models run with WebGPU or on the CPU, which is slower, because the CUDA addon could not be built:\n${failure}`,
    );
  }
}

/**
 * Builds the native program, whose tests need no GPU, and the addon where nvcc is found.
 *
 * @param {string} root the project's folder
 * @throws {SetupError} when the build fails: the native tests would be skipped otherwise
 */
export async function ensureNativeProgram(root) {
  const missing = findMissingTool();
  if (missing !== null) {
    console.error(
      `${missing} was not found: the native tests are skipped (to install it on Debian: apt install cmake g++).`,
    );
    return;
  }
  const { failure } = await buildOnce(root, 'Building the native program (two or three minutes)');
  if (failure !== null) throw new SetupError(`The native code could not be built:\n${failure}`);
}

/** Builds everything that the machine has tools for. */
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

/** `failure`: the output of a failed build; null if it succeeded. `isNews`: whether the build has just been tried. */
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

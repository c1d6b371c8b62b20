import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, runCommand } from './run-command.mjs';
import { reportStep } from './report.mjs';
import { hashFiles, readStamp, writeStamp } from './stamp.mjs';

const SOURCES = ['addon', 'kernels', 'CMakeLists.txt'];

/**
 * Builds the CUDA addon where its sources and nvcc are there. Its absence is a normal state, so a build that fails
 * is told and not fatal; it is tried again when the sources change.
 *
 * @param {string} root the project's folder
 */
export async function ensureNativeAddon(root) {
  const folder = join(root, 'native-cuda');
  if (!existsSync(join(folder, 'CMakeLists.txt')) || !findOnPath('nvcc')) return;
  const stampFile = join(root, 'node_modules', '.framekiln-addon.json');
  const sources = hashFiles(folder, SOURCES);
  if (readStamp(stampFile) === sources) return;

  const { ok, output } = await reportStep('Building the CUDA addon', () =>
    runCommand('npm', ['run', 'build:native'], { cwd: root }),
  );
  if (!ok) console.error(`The CUDA addon could not be built, so the CPU is used:\n${output.trimEnd()}`);
  writeStamp(stampFile, sources);
}

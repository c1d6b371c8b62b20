// Makes a fresh checkout ready to run, and does nothing in one that is ready. It is plain JavaScript without
// dependencies, because it runs before they are installed.
import { fileURLToPath } from 'node:url';
import { ensureBuild } from './setup/build.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { ensureFfmpeg } from './setup/ffmpeg.mjs';
import { ensureCpuAddon } from './setup/cpu-build.mjs';
import { ensureNativeAddon, ensureNativeProgram } from './setup/native-build.mjs';
import { ensureModels } from './setup/models.mjs';
import { checkNodeVersion } from './setup/node-version.mjs';
import { SetupError } from './setup/report.mjs';
import { ensureVulkan } from './setup/vulkan.mjs';

/** The same number as ExitCode.environment in src/domain/exit-codes.ts. */
const EXIT_ENVIRONMENT = 3;

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Sets up this checkout. If something is missing that only a person can supply, ends the process with one sentence.
 *
 * @param {{ withNativeProgram?: boolean }} [options] `withNativeProgram`: also builds the program that the native
 *   tests run, which takes minutes
 */
export async function setUp({ withNativeProgram = false } = {}) {
  try {
    const warning = checkNodeVersion(process.versions.node);
    if (warning !== null) console.error(warning);
    await ensureDependencies(root);
    await ensureFfmpeg(root);
    await ensureBuild(root);
    await ensureModels(root);
    await ensureCpuAddon(root);
    await ensureVulkan(root);
    await (withNativeProgram ? ensureNativeProgram : ensureNativeAddon)(root);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exit(EXIT_ENVIRONMENT);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp();

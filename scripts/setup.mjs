// Makes a fresh checkout ready to run, and does nothing where it is. Plain JavaScript without dependencies, because
// it runs before there are any.
import { fileURLToPath } from 'node:url';
import { ensureBuild } from './setup/build.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { ensureFfmpeg } from './setup/ffmpeg.mjs';
import { ensureNativeAddon, ensureNativeProgram } from './setup/native-build.mjs';
import { ensureModels } from './setup/models.mjs';
import { checkNodeVersion } from './setup/node-version.mjs';
import { SetupError } from './setup/report.mjs';

/** The same number as ExitCode.environment in src/domain/exit-codes.ts. */
const EXIT_ENVIRONMENT = 3;

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Ends the process with one sentence where something is missing that only a person can supply.
 *
 * @param {{ forTests?: boolean }} [options] `forTests`: what only tests need, too
 */
export async function setUp({ forTests = false } = {}) {
  try {
    checkNodeVersion(process.versions.node);
    await ensureDependencies(root);
    await ensureFfmpeg(root);
    await ensureBuild(root);
    await ensureModels(root);
    await (forTests ? ensureNativeProgram : ensureNativeAddon)(root);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exit(EXIT_ENVIRONMENT);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp();

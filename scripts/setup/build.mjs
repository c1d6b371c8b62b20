import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { reportStep, SetupError } from './report.mjs';
import { runCommand } from './run-command.mjs';
import { hashFiles, readStamp, writeStamp } from './stamp.mjs';

const SOURCES = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

/**
 * Builds dist/ anew when the sources are not those that it was built from.
 *
 * @param {string} root the project's folder
 * @throws {SetupError}
 */
export async function ensureBuild(root) {
  const dist = join(root, 'dist');
  const stampFile = join(dist, '.sources.json');
  const sources = hashFiles(root, SOURCES);
  if (readStamp(stampFile) === sources) return;

  await reportStep('Building', async () => {
    // What was built from sources that are gone must not stay; a build that is broken off leaves no stamp.
    rmSync(dist, { recursive: true, force: true });
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { ok, output } = await runCommand(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
      cwd: root,
    });
    if (!ok) throw new SetupError(`The build failed:\n${output.trimEnd()}`);
  });
  writeStamp(stampFile, sources);
}

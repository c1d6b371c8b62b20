import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { reportStep, SetupError } from './report.mjs';
import { runCommand } from './run-command.mjs';
import { assertNotRunning } from './running.mjs';
import { hashFiles, readStamp, writeStamp } from './stamp.mjs';

const SOURCES = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

/**
 * Builds dist/ when the sources have changed since the last build.
 *
 * @param {string} root the project's folder
 * @throws {SetupError}
 */
export async function ensureBuild(root) {
  const dist = join(root, 'dist');
  const stampFile = join(dist, '.sources.json');
  const sources = hashFiles(root, SOURCES);
  if (readStamp(stampFile) === sources) return;
  assertNotRunning(root);

  await reportStep('Building', async () => {
    // Output of deleted sources must not stay. The stamp is written last: an interrupted build is repeated.
    rmSync(dist, { recursive: true, force: true });
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { ok, output } = await runCommand(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
      cwd: root,
    });
    if (!ok) throw new SetupError(`The build failed:\n${output.trimEnd()}`);
  });
  writeStamp(stampFile, sources);
}

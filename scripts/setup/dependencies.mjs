import { join } from 'node:path';
import { aptInstall } from './apt.mjs';
import { reportStep, SetupError } from './report.mjs';
import { findOnPath, runCommand } from './run-command.mjs';
import { assertNotRunning } from './running.mjs';
import { hashFiles, readStamp, writeStamp } from './stamp.mjs';

/** Programs that compile a native package; the Debian packages have the same names. */
const COMPILER = ['python3', 'make', 'g++'];
const OR = new Intl.ListFormat('en', { type: 'disjunction' });

/**
 * Installs the packages of package-lock.json when they are missing, or were installed from another lock file or for
 * another version of Node.
 *
 * @param {string} root the project's folder
 * @throws {SetupError}
 */
export async function ensureDependencies(root) {
  const stampFile = join(root, 'node_modules', '.framekiln-setup.json');
  const wanted = { lock: hashFiles(root, ['package-lock.json']), nodeAbi: process.versions.modules };
  const found = readStamp(stampFile);
  if (found?.lock === wanted.lock && found.nodeAbi === wanted.nodeAbi) return;
  assertNotRunning(root);

  await reportStep('Installing npm packages (a minute or two)', async () => {
    let result = await npmCi(root);
    // A native package without a prebuilt binary for this machine is compiled, and that may be what failed.
    const missing = COMPILER.filter((tool) => !findOnPath(tool));
    if (!result.ok && missing.length > 0) {
      if (!(await aptInstall(missing))) {
        throw new SetupError(
          `npm could not install the packages, probably because one has to be compiled and there is no ${OR.format(missing)}; install what is missing with your package manager (Debian: \`sudo apt-get install ${missing.join(' ')}\`) and try again:\n${result.output.trimEnd()}`,
        );
      }
      result = await npmCi(root);
    }
    if (!result.ok) throw new SetupError(`\`npm ci\` failed:\n${result.output.trimEnd()}`);
  });
  writeStamp(stampFile, wanted);
}

function npmCi(root) {
  // checkNodeVersion has decided which versions of Node may try; without this option npm refuses untested ones.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--engine-strict=false'];
  return runCommand('npm', args, {
    cwd: root,
    // onnxruntime-node's install script would download a CUDA provider of hundreds of megabytes.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
}

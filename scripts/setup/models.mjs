import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './report.mjs';
import { runCommand } from './run-command.mjs';

const DEFAULT_MODELS = [
  'realesr-general-x4v3',
  'RealESRGAN_x4plus',
  'blazeface-full-range',
  'face-recognition',
];

/**
 * Fetches and converts the default models that are missing in the program's own models/ folder. The program checks
 * their sha256 whenever it loads them, so a look at the names is enough here.
 *
 * @param {string} root the project's folder
 * @throws {SetupError}
 */
export async function ensureModels(root) {
  const missing = DEFAULT_MODELS.filter((name) => !existsSync(join(root, 'models', `${name}.onnx`)));
  if (missing.length === 0) return;
  const args = [join(root, 'dist', 'main.js'), 'models', 'pull', ...missing, '--home', root];
  const { ok } = await runCommand(process.execPath, args, { show: true });
  if (ok) return;
  throw new SetupError(
    `The default models could not be fetched (see above); check the connection to the npm registry (\`npm ping\`), or copy ${missing.map((name) => `${name}.onnx`).join(' and ')} into ${join(root, 'models')} from another machine, and try again.`,
  );
}

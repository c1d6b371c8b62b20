import { readFile, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { ModelError } from '../../domain/errors.ts';
import type { ModelFile } from '../../domain/models.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { validateImageModel, validateSelfContained } from './inspect-model.ts';
import { modelEntry } from './manifest.ts';
import type { Manifest, ModelEntry, ModelPurpose } from './manifest.ts';
import { decodeModel } from './onnx-model.ts';

/** Nothing is known of a stranger; our own need between 18 (16 convolutions) and 80 (23 dense blocks). */
const UNKNOWN_OVERLAP = 32;

/**
 * The file of a model: of the manifest's by name, looked for as `<name>.onnx` in each folder in order and rejected
 * unless its sha256 is the manifest's; or any ONNX file by a path that ends in `.onnx`. Nothing is run.
 *
 * @throws ModelError MODEL_UNKNOWN, MODEL_MISSING, MODEL_CHECKSUM, MODEL_UNREADABLE, MODEL_UNSUITABLE
 */
export async function findModel(
  nameOrPath: string,
  folders: readonly string[],
  manifest: Manifest,
  purpose: ModelPurpose = 'upscale',
): Promise<ModelFile> {
  if (nameOrPath.endsWith('.onnx')) return findByPath(resolve(nameOrPath), purpose);
  const entry = modelEntry(manifest, nameOrPath, purpose);
  const path = await firstPresent(folders.map((folder) => modelPath(folder, entry.name)));
  if (path === null) {
    const advice = `run: framekiln models pull ${entry.name}`;
    throw new ModelError(
      'MODEL_MISSING',
      `The model ${entry.name} is not installed in ${folders.join(' or ')}; ${advice}.`,
    );
  }
  const found = await sha256File(path);
  if (found !== entry.sha256) throw wrongChecksum(path, entry.sha256, found);
  return modelFile(path, entry);
}

export interface ListedModel {
  readonly entry: ModelEntry;
  /** Where it lies; null where it would have to be fetched. Its bytes are not looked at. */
  readonly path: string | null;
}

/** Every model of the manifest, with its place on this machine. */
export function listModels(folders: readonly string[], manifest: Manifest): Promise<ListedModel[]> {
  return Promise.all(
    manifest.models.map(async (entry) => ({
      entry,
      path: await firstPresent(folders.map((folder) => modelPath(folder, entry.name))),
    })),
  );
}

export interface VerifiedModel {
  readonly entry: ModelEntry;
  readonly path: string;
  /** null: the file is what the manifest says. */
  readonly error: ModelError | null;
}

/** Checks the bytes of every model that is there. */
export async function verifyModels(folders: readonly string[], manifest: Manifest): Promise<VerifiedModel[]> {
  const verified: VerifiedModel[] = [];
  for (const { entry, path } of await listModels(folders, manifest)) {
    if (path === null) continue;
    const found = await sha256File(path);
    const error = found === entry.sha256 ? null : wrongChecksum(path, entry.sha256, found);
    verified.push({ entry, path, error });
  }
  return verified;
}

/** Where a folder keeps a model of the manifest. */
export function modelPath(folder: string, name: string): string {
  return join(resolve(folder), `${name}.onnx`);
}

/** What the manifest says of the file at `path`, whose bytes have been checked. */
export function modelFile(path: string, entry: ModelEntry): ModelFile {
  const { name, sha256, bytes, licence } = entry;
  const { architecture, overlap } = entry.purpose === 'upscale' ? entry : { architecture: null, overlap: 0 };
  return { name, path, sha256, bytes, licence, architecture, overlap };
}

/** The error for bytes that are not those of the manifest. */
export function wrongChecksum(what: string, expected: string, found: string): ModelError {
  const advice = 'delete the file, then run: framekiln models pull';
  return new ModelError(
    'MODEL_CHECKSUM',
    `${what} has the sha256 ${found} instead of ${expected}; ${advice}.`,
  );
}

async function findByPath(path: string, purpose: ModelPurpose): Promise<ModelFile> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new ModelError('MODEL_MISSING', `The model file ${path} cannot be read.`, { cause });
  });
  const validate = purpose === 'upscale' ? validateImageModel : validateSelfContained;
  validate(decodeModel(bytes, path), path);
  return {
    name: basename(path, '.onnx'),
    path,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    licence: null,
    architecture: null,
    overlap: UNKNOWN_OVERLAP,
  };
}

async function firstPresent(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found?.isFile() === true) return path;
  }
  return null;
}

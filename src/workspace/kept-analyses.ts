import { createHash } from 'node:crypto';
import { readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Home } from '../config/home.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { writeFileDurably } from './durable-file.ts';
import { readdirOrNone } from './job-folder.ts';

/** Size of all kept analyses; the ones that were used last stay. About a hundred hours of film. */
const MAX_BYTES = 500_000_000;

/**
 * What the first pass over a video has found, kept after its job in `.framekiln/analyses`, so that a split screen of the
 * same video can be drawn differently without another first pass.
 */
export class KeptAnalysis {
  readonly #folder: string;
  readonly #path: string;

  /** @param key everything that the findings depend on */
  constructor({ stateDir }: Pick<Home, 'stateDir'>, key: readonly unknown[]) {
    this.#folder = join(stateDir, 'analyses');
    const hash = createHash('sha256').update(JSON.stringify(key)).digest('hex');
    this.#path = join(this.#folder, `${hash.slice(0, 32)}.gz`);
  }

  /** The findings; null if they are not kept. @throws Error if the file is damaged */
  async read(): Promise<Uint8Array[] | null> {
    let packed: Buffer;
    try {
      packed = await readFile(this.#path);
    } catch (error) {
      if (isMissingFile(error)) return null;
      throw error;
    }
    const findings = deserialize(await promisify(gunzip)(packed)) as Uint8Array[];
    // Another worker may just have removed it.
    await utimes(this.#path, new Date(), new Date()).catch(() => undefined);
    return findings;
  }

  /** Keeps the findings, and removes those of other videos that were not used for longest if all are too large. */
  async write(findings: readonly Uint8Array[]): Promise<void> {
    makeFolder(this.#folder);
    const packed = await promisify(gzip)(serialize(findings));
    await writeFileDurably(this.#path, packed);
    await trim(this.#folder, MAX_BYTES);
  }

  /** Removes the file, if there is one. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

/** Removes the files that were not used for longest, until the rest has at most `maxBytes`. */
export async function trim(folder: string, maxBytes: number): Promise<void> {
  const files = await Promise.all(
    (await readdirOrNone(folder)).map(async (name) => {
      const path = join(folder, name);
      const found = await stat(path).catch(() => null); // Another worker may have removed it.
      return { path, bytes: found?.size ?? 0, usedAtMs: found?.mtimeMs ?? 0 };
    }),
  );
  let bytes = 0;
  for (const file of files.sort((a, b) => b.usedAtMs - a.usedAtMs)) {
    bytes += file.bytes;
    if (bytes > maxBytes) await rm(file.path, { force: true });
  }
}

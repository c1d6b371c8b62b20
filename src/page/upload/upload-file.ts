import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { IdentifiedHome } from '../../config/home.ts';
import { codeOf } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/format-bytes.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { nextFileName } from '../../lib/next-file-name.ts';
import { asUser } from '../../lib/user-umask.ts';
import { createForUser, publishFile, renameIfFree } from '../../workspace/durable-file.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import { freeBytes } from '../../workspace/free-bytes.ts';
import { whyMissing, type MountPointMemory } from '../../workspace/missing-folder.ts';
import { HttpError } from '../http-error.ts';

/** An unfinished upload that nobody has resumed for this long is deleted when the daemon starts. */
const FORGET_AFTER_MS = 7 * 24 * 3_600_000;
/** Space that an upload leaves free, for the jobs. */
const KEPT_FREE_BYTES = 512 * 1024 ** 2;

/** A file that a browser sends. The same file has the same values when an upload is resumed. */
export interface Upload {
  /** File name without a folder. */
  readonly name: string;
  /** Folder in input/; empty for input/ itself. */
  readonly folder: string;
  readonly size: number;
  /** Modification time of the file, as the browser tells it. */
  readonly modifiedAtMs: number;
}

/**
 * Receives files into input/. Until a file is whole it has a hidden name, which the intake skips; then it is synced and gets its
 * name with one rename. What has arrived of an interrupted upload is kept, so that the upload can be resumed.
 */
export class Uploads {
  readonly #home: IdentifiedHome;
  readonly #mountPoints: MountPointMemory;
  readonly #running = new Set<string>();

  constructor(home: IdentifiedHome, mountPoints: MountPointMemory) {
    this.#home = home;
    this.#mountPoints = mountPoints;
  }

  /** Bytes of a file that have arrived. */
  receivedBytes(upload: Upload): Promise<number> {
    return sizeOrZero(this.#partOf(upload));
  }

  /**
   * Appends bytes to a file, and publishes it once it is whole.
   *
   * @param offset number of bytes that arrived before; must be that of `receivedBytes`
   * @returns the name that the file got; null if the stream ended before the file was whole
   * @throws HttpError
   */
  async receive(upload: Upload, offset: number, bytes: Readable): Promise<string | null> {
    const part = this.#partOf(upload);
    if (this.#running.has(part))
      throw new HttpError(409, 'ALREADY_RUNNING', `${upload.name} is already being uploaded.`);
    this.#running.add(part);
    try {
      await this.#append(upload, part, offset, bytes);
      if ((await sizeOrZero(part)) < upload.size) return null;
      return await this.#publish(part, join(this.#home.input, upload.folder, upload.name));
    } finally {
      this.#running.delete(part);
    }
  }

  async #append(upload: Upload, part: string, offset: number, bytes: Readable): Promise<void> {
    const why = await whyMissing(this.#home.input, this.#mountPoints);
    if (why !== null) throw new HttpError(503, 'FOLDER_MISSING', why);
    if (upload.folder !== '') asUser(() => makeFolder(join(this.#home.input, upload.folder)));
    const received = await sizeOrZero(part);
    if (received !== offset)
      throw new HttpError(
        409,
        'WRONG_OFFSET',
        `${received} bytes of ${upload.name} have arrived, not ${offset}.`,
      );
    const left = upload.size - received;
    if (left > (await freeBytes(this.#home.input)) - KEPT_FREE_BYTES) throw diskFull(upload);
    if (received === 0) await createPart(part);
    try {
      await pipeline(bytes, limited(left, upload), createWriteStream(part, { flags: 'a' }));
    } catch (error) {
      if (['ENOSPC', 'EDQUOT'].includes(codeOf(error))) throw diskFull(upload);
      // The browser is gone; it may come back.
      if (codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE' && codeOf(error) !== 'ECONNRESET') throw error;
    }
  }

  async #publish(part: string, wanted: string): Promise<string> {
    for (let path = wanted; ; path = nextFileName(path)) {
      try {
        await publishFile(part, path, 'other-file', (from, to) => renameIfFree(from, to, this.#home.id));
        return path.slice(this.#home.input.length + 1);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
  }

  #partOf({ name, folder, size, modifiedAtMs }: Upload): string {
    const key = createHash('sha256')
      .update(JSON.stringify([name, size, modifiedAtMs]))
      .digest('hex');
    return join(this.#home.input, folder, `${partPrefix(this.#home)}${key.slice(0, 16)}.part`);
  }
}

/** Deletes unfinished uploads in input/ that nobody has resumed for a week. */
export async function removeOldUploads(home: IdentifiedHome, nowMs: number): Promise<void> {
  for (const entry of await readdir(home.input, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.startsWith(partPrefix(home))) continue;
    const path = join(entry.parentPath, entry.name);
    if (nowMs - (await stat(path)).mtimeMs > FORGET_AFTER_MS) await rm(path, { force: true });
  }
}

function partPrefix({ id }: IdentifiedHome): string {
  return `.framekiln-${id}-upload-`;
}

async function createPart(part: string): Promise<void> {
  await rm(part, { force: true });
  createForUser(part);
}

/** Passes bytes on, up to the size that was announced. */
function limited(left: number, { name }: Upload) {
  return async function* (bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let passed = 0;
    for await (const chunk of bytes) {
      passed += chunk.length;
      if (passed > left) throw new HttpError(400, 'TOO_LONG', `${name} has more bytes than announced.`);
      yield chunk;
    }
  };
}

function diskFull({ name }: Upload): HttpError {
  return new HttpError(
    507,
    'DISK_FULL',
    `There is not enough disk space for ${name}; uploads leave ${formatBytes(KEPT_FREE_BYTES)} free for the jobs.`,
  );
}

import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { Writable } from 'node:stream';
import { codeOf, toError } from '../domain/errors.ts';

export interface RollingFileOptions {
  readonly path: string;
  /** The file is rotated before a write that would make it larger than this. */
  readonly maxBytes: number;
  /** Number of files kept, including the current one. */
  readonly maxFiles: number;
  /** Called once when writes start to fail; each further chunk is a new attempt. */
  readonly onError: (error: Error) => void;
}

/**
 * A log file with rotation to `name.1.log`, `name.2.log` and so on; the current file keeps its name, so that `tail -F`
 * follows it.
 *
 * It replaces winston's File transport, which never writes again after one ENOSPC and then never finishes (winston 3.19,
 * tried on a full tmpfs). For every chunk, the file is opened, written and closed synchronously. For a few lines per second
 * this costs nothing; kill -9 loses no line, a full disk loses only the lines of that time, and a deleted file is created
 * again.
 */
export class RollingFile extends Writable {
  readonly #options: RollingFileOptions;
  #failing = false;

  constructor(options: RollingFileOptions) {
    super({ decodeStrings: true });
    this.#options = options;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    try {
      this.#append(chunk);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#options.onError(toError(error));
      this.#failing = true;
    }
    done();
  }

  #append(chunk: Buffer): void {
    const { path, maxBytes } = this.#options;
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes > 0 && bytes + chunk.length > maxBytes) this.#rotate();
    try {
      appendFileSync(path, chunk);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      // Not `recursive`: a home that was moved away must not appear again.
      mkdirSync(dirname(path));
      appendFileSync(path, chunk);
    }
  }

  #rotate(): void {
    for (let number = this.#options.maxFiles - 1; number >= 1; number--) {
      const from = this.#nameOf(number - 1);
      if (statSync(from, { throwIfNoEntry: false })) renameSync(from, this.#nameOf(number));
    }
  }

  #nameOf(number: number): string {
    const { path } = this.#options;
    if (number === 0) return path;
    const extension = extname(path);
    return `${path.slice(0, path.length - extension.length)}.${number}${extension}`;
  }
}

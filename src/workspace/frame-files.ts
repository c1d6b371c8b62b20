import { copyFile, mkdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchRange } from '../domain/frame-batch.ts';
import { failPoint } from '../lib/fail-point.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { measure } from '../observability/measurements.ts';

export type FrameSide = 'in' | 'out';

export interface FrameFilesOptions {
  readonly ramPath: string;
  readonly spillPath: string;
  /** Bytes of memory that frames may still use; Infinity for a RAM disk that is a folder on disk. */
  readonly spareMemoryBytes: () => Promise<number>;
  /** Called with a sentence for the log the first time that frames do not fit on the RAM disk. */
  readonly onSpill: (sentence: string) => void;
}

/**
 * Chooses where the raw frames of the batches in flight are stored: in `b0007.in` and `b0007.out` on the RAM disk while there
 * is room and memory, else in the spill folder on disk. Space is reserved per batch, so that two batches do not rely on the
 * same free space. Frames whose space was taken by other programs move to the spill folder.
 */
export class FrameFiles {
  readonly #ramPath: string;
  readonly #spillPath: string;
  readonly #spareMemoryBytes: () => Promise<number>;
  readonly #onSpill: (sentence: string) => void;
  readonly #reserved = new Map<string, number>();
  #spilled = false;

  constructor({ ramPath, spillPath, spareMemoryBytes, onSpill }: FrameFilesOptions) {
    this.#ramPath = ramPath;
    this.#spillPath = spillPath;
    this.#spareMemoryBytes = spareMemoryBytes;
    this.#onSpill = onSpill;
  }

  /**
   * Chooses the path for the frames of a batch, or returns the path of frames that exist.
   *
   * @param bytes size of all frames of the batch
   */
  async place(batch: BatchRange, side: FrameSide, bytes: number): Promise<string> {
    const name = frameFileName(batch.number, side);
    const inRam = join(this.#ramPath, name);
    const present = await sizeOrZero(inRam);
    const onDisk = join(this.#spillPath, name);
    if (present === 0 && (await sizeOrZero(onDisk)) > 0) return onDisk;
    const missing = bytes - present;
    const lacking = missing > 0 ? await this.#whatIsLacking(missing) : null;
    if (lacking === null) {
      this.#reserved.set(name, bytes);
      return inRam;
    }
    await this.#beginSpill(`${lacking} for another ${Math.ceil(missing / 1024 / 1024)} MB`);
    return (await this.#move(name)) ?? onDisk;
  }

  /**
   * Moves frames to the spill folder when the RAM disk became full while they were written.
   *
   * @returns the new path, or null if they were in the spill folder already
   */
  async moveToSpill(batch: BatchRange, side: FrameSide): Promise<string | null> {
    await this.#beginSpill(`${this.#ramPath} is full`);
    return this.#move(frameFileName(batch.number, side));
  }

  /** Deletes the input or output frames of a batch. */
  async drop(batch: BatchRange, side: FrameSide): Promise<void> {
    const name = frameFileName(batch.number, side);
    failPoint('frames.before-drop');
    await rm(join(this.#ramPath, name), { force: true });
    await rm(join(this.#spillPath, name), { force: true });
    this.#reserved.delete(name);
    failPoint('frames.dropped');
  }

  async #beginSpill(why: string): Promise<void> {
    if (!this.#spilled) {
      this.#spilled = true;
      measure({ kind: 'fallback', of: 'ram-disk' });
      this.#onSpill(`${why}; writing frames to ${this.#spillPath}`);
    }
    failPoint('frames.before-spill');
    await mkdir(this.#spillPath, { recursive: true });
  }

  async #move(name: string): Promise<string | null> {
    this.#reserved.delete(name);
    const [inRam, onDisk] = [join(this.#ramPath, name), join(this.#spillPath, name)];
    const part = `${onDisk}.part`;
    try {
      await copyFile(inRam, part);
    } catch (error) {
      if (isMissingFile(error)) return null;
      throw error;
    }
    // The copy gets its name by a rename: after a kill, a partial copy must not pass for frames.
    await rename(part, onDisk);
    await rm(inRam);
    return onDisk;
  }

  /** Why there is no room for this many more bytes besides those that batches have reserved; null if there is. */
  async #whatIsLacking(bytes: number): Promise<string | null> {
    const { bavail, bsize } = await statfs(this.#ramPath);
    // Of the reserved bytes, those that are already written no longer count as free.
    let unwritten = 0;
    for (const [name, reserved] of this.#reserved)
      unwritten += Math.max(0, reserved - (await sizeOrZero(join(this.#ramPath, name))));
    if (bavail * bsize < unwritten + bytes) return 'not enough space on the RAM disk';
    return (await this.#spareMemoryBytes()) < unwritten + bytes ? 'not enough free memory' : null;
  }
}

function frameFileName(number: number, side: FrameSide): string {
  return `b${String(number).padStart(4, '0')}.${side}`;
}

/** Size of a file in bytes; 0 if there is none. */
export async function sizeOrZero(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissingFile(error)) return 0;
    throw error;
  }
}

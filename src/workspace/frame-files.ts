import { mkdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchRange } from '../domain/frame-batch.ts';
import { failPoint } from '../lib/fail-point.ts';
import { isMissingFile } from '../lib/file-errors.ts';

export type FrameSide = 'in' | 'out';

/**
 * Where the raw frames of the batches in flight lie: `b0007.in` and `b0007.out`, on the RAM disk while it has room,
 * in the spill folder on the disk otherwise (A5). It knows what it promised, so that two batches do not count on
 * the same free space.
 */
export class FrameFiles {
  readonly #ramPath: string;
  readonly #spillPath: string;
  readonly #onSpill: (sentence: string) => void;
  readonly #promised = new Map<string, number>();
  #spilled = false;

  constructor(ramPath: string, spillPath: string, onSpill: (sentence: string) => void) {
    this.#ramPath = ramPath;
    this.#spillPath = spillPath;
    this.#onSpill = onSpill;
  }

  /**
   * The path for a batch's frames, chosen now, or where they lie already.
   *
   * @param bytes of all frames of the batch
   */
  async place(batch: BatchRange, side: FrameSide, bytes: number): Promise<string> {
    const name = frameFileName(batch.number, side);
    const inRam = join(this.#ramPath, name);
    const present = await sizeOrZero(inRam);
    if (present > 0) {
      this.#promised.set(name, bytes);
      return inRam;
    }
    const onDisk = join(this.#spillPath, name);
    if ((await sizeOrZero(onDisk)) > 0) return onDisk;
    if ((await this.#freeBytes()) >= bytes) {
      this.#promised.set(name, bytes);
      return inRam;
    }
    if (!this.#spilled) {
      this.#spilled = true;
      this.#onSpill(
        `the RAM disk has no room for ${Math.ceil(bytes / 1024 / 1024)} MB more; frames go to ${this.#spillPath}.`,
      );
    }
    failPoint('frames.before-spill');
    await mkdir(this.#spillPath, { recursive: true });
    return onDisk;
  }

  /** Deletes a batch's frames of one side. */
  async drop(batch: BatchRange, side: FrameSide): Promise<void> {
    const name = frameFileName(batch.number, side);
    failPoint('frames.before-drop');
    await rm(join(this.#ramPath, name), { force: true });
    await rm(join(this.#spillPath, name), { force: true });
    this.#promised.delete(name);
    failPoint('frames.dropped');
  }

  /** Free space that no batch was promised: what is written already is gone from the free space by itself. */
  async #freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#ramPath);
    let owed = 0;
    for (const [name, bytes] of this.#promised) owed += bytes - (await sizeOrZero(join(this.#ramPath, name)));
    return bavail * bsize - Math.max(0, owed);
  }
}

function frameFileName(number: number, side: FrameSide): string {
  return `b${String(number).padStart(4, '0')}.${side}`;
}

/** Size of a file in bytes; 0 when there is none. */
export async function sizeOrZero(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissingFile(error)) return 0;
    throw error;
  }
}

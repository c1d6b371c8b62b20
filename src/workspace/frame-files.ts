import { copyFile, mkdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchRange } from '../domain/frame-batch.ts';
import { failPoint } from '../lib/fail-point.ts';
import { isMissingFile } from '../lib/file-errors.ts';

export type FrameSide = 'in' | 'out';

export interface FrameFilesOptions {
  readonly ramPath: string;
  readonly spillPath: string;
  /** Memory that frames may still take; a RAM disk that is a plain folder takes none. */
  readonly spareMemoryBytes: () => Promise<number>;
  /** Gets a sentence the first time that frames do not go to the RAM disk. */
  readonly onSpill: (sentence: string) => void;
}

/**
 * Where the raw frames of the batches in flight lie: `b0007.in` and `b0007.out`, on the RAM disk while it has room and
 * memory is not short, in the spill folder on the disk otherwise (A5). It knows what it promised, so that two batches do
 * not count on the same free space. Other programs were promised nothing: frames whose room they took move to the disk.
 */
export class FrameFiles {
  readonly #ramPath: string;
  readonly #spillPath: string;
  readonly #spareMemoryBytes: () => Promise<number>;
  readonly #onSpill: (sentence: string) => void;
  readonly #promised = new Map<string, number>();
  #spilled = false;

  constructor({ ramPath, spillPath, spareMemoryBytes, onSpill }: FrameFilesOptions) {
    this.#ramPath = ramPath;
    this.#spillPath = spillPath;
    this.#spareMemoryBytes = spareMemoryBytes;
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
    const onDisk = join(this.#spillPath, name);
    if (present === 0 && (await sizeOrZero(onDisk)) > 0) return onDisk;
    const missing = bytes - present;
    const lacks = missing > 0 ? await this.#whatLacks(missing) : null;
    if (lacks === null) {
      this.#promised.set(name, bytes);
      return inRam;
    }
    await this.#beginSpill(`${lacks} for ${Math.ceil(missing / 1024 / 1024)} MB more`);
    return (await this.#move(name)) ?? onDisk;
  }

  /**
   * Frames that found no room while they were written go to the disk, with what is there of them.
   *
   * @returns where they lie now; null: they were on the disk already
   */
  async moveToSpill(batch: BatchRange, side: FrameSide): Promise<string | null> {
    await this.#beginSpill('the RAM disk was filled by others and has no room');
    return this.#move(frameFileName(batch.number, side));
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

  async #beginSpill(why: string): Promise<void> {
    if (!this.#spilled) {
      this.#spilled = true;
      this.#onSpill(`${why}; frames go to ${this.#spillPath}.`);
    }
    failPoint('frames.before-spill');
    await mkdir(this.#spillPath, { recursive: true });
  }

  async #move(name: string): Promise<string | null> {
    this.#promised.delete(name);
    const [inRam, onDisk] = [join(this.#ramPath, name), join(this.#spillPath, name)];
    const part = `${onDisk}.part`;
    try {
      await copyFile(inRam, part);
    } catch (error) {
      if (isMissingFile(error)) return null;
      throw error;
    }
    // In one step: half of a copy must not be taken for frames after a kill.
    await rename(part, onDisk);
    await rm(inRam);
    return onDisk;
  }

  /** What is too short for so many bytes, of what no batch was promised; null: nothing is. */
  async #whatLacks(bytes: number): Promise<string | null> {
    const { bavail, bsize } = await statfs(this.#ramPath);
    // What is written already is gone from the free space by itself.
    let owed = 0;
    for (const [name, promised] of this.#promised)
      owed += Math.max(0, promised - (await sizeOrZero(join(this.#ramPath, name))));
    if (bavail * bsize < owed + bytes) return 'the RAM disk has no room';
    return (await this.#spareMemoryBytes()) < owed + bytes ? 'memory is short' : null;
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

import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { failPoint } from '../lib/fail-point.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { publishFile } from './durable-file.ts';
import { isMissingFile } from '../lib/file-errors.ts';

/**
 * A job's folder on the disk, `<jobs>/<id>/`: `frames.index`, `segments/`, when the RAM disk is full `spill/`, and for a
 * source whose clock jumps `straight/`, with a copy of it under its own name.
 * It holds what must survive a reboot, and is deleted when the job is done or cancelled.
 */
export class JobFolder {
  readonly path: string;
  readonly indexFile: string;
  readonly segments: string;
  readonly straight: string;

  constructor(jobsDir: string, jobId: number) {
    this.path = join(jobsDir, String(jobId));
    this.indexFile = join(this.path, 'frames.index');
    this.segments = join(this.path, 'segments');
    this.straight = join(this.path, 'straight');
  }

  create(): void {
    failPoint('job-folder.before-creation');
    makeFolder(this.segments);
    failPoint('job-folder.created');
  }

  get #spill(): string {
    return join(this.path, 'spill');
  }

  async remove(): Promise<void> {
    failPoint('job-folder.before-removal');
    await rm(this.path, { recursive: true, force: true });
    failPoint('job-folder.removed');
  }

  /**
   * Where frames go for which a RAM disk has no room: a folder of its name, so that a worker that lost its lease writes into
   * none but its own (R10). They are worth as much as the disk: what lies there is kept with one that was adopted, and deleted
   * otherwise, because after a power cut it may hold blocks that were never written.
   */
  async openSpill(disk: { readonly path: string; readonly adopted: boolean }): Promise<string> {
    const own = basename(disk.path);
    for (const name of await readdirOrNone(this.#spill)) {
      if (disk.adopted && name === own) continue;
      await rm(join(this.#spill, name), { recursive: true, force: true });
    }
    return join(this.#spill, own);
  }

  async removeSpill(): Promise<void> {
    await rm(this.#spill, { recursive: true, force: true });
  }

  segmentPath(name: string): string {
    return join(this.segments, name);
  }

  /** Publishes a finished segment; the checkpoint's row may be written after that. */
  async publishSegment(temporaryPath: string, name: string): Promise<{ bytes: number; sha256: string }> {
    const sha256 = await sha256File(temporaryPath);
    await publishFile(temporaryPath, this.segmentPath(name), 'segment');
    return { bytes: (await stat(this.segmentPath(name))).size, sha256 };
  }

  /** Whether a committed segment is still there, byte for byte. */
  async isIntact(segment: {
    segmentName: string;
    segmentBytes: number;
    segmentSha256: string;
  }): Promise<boolean> {
    const path = this.segmentPath(segment.segmentName);
    try {
      if ((await stat(path)).size !== segment.segmentBytes) return false;
      return (await sha256File(path)) === segment.segmentSha256;
    } catch (error) {
      if (isMissingFile(error)) return false;
      throw error;
    }
  }

  /** Removes what no row names: half-written segments, and those of a worker that lost its lease. */
  async removeStrangers(keep: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.segments)) {
      if (keep.has(name)) continue;
      failPoint('segment.stranger-before-removal');
      await rm(join(this.segments, name), { recursive: true, force: true });
    }
  }
}

/** Removes the folders of jobs that are over. @param unfinished ids of the jobs whose folders stay */
export async function removeOrphanFolders(jobsDir: string, unfinished: ReadonlySet<number>): Promise<number> {
  let removed = 0;
  for (const name of await readdirOrNone(jobsDir)) {
    if (unfinished.has(Number(name))) continue;
    await rm(join(jobsDir, name), { recursive: true, force: true });
    removed++;
  }
  return removed;
}

/** A folder's names; none when it does not exist. */
export async function readdirOrNone(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw error;
  }
}

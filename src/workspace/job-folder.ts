import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { failPoint } from '../lib/fail-point.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { publishFile } from './durable-file.ts';
import { isMissingFile } from '../lib/file-errors.ts';

/**
 * Folder of a job on disk, `<jobs>/<id>/`, for everything that must survive a reboot: `frames.index`, `segments/`, `spill/`
 * if the RAM disk was full, and `straight/` with a remuxed copy of a source that has timestamp discontinuities. The folder is
 * deleted when the job is done or cancelled.
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
   * Opens the spill folder of a RAM disk. It has the name of the RAM disk, so that a worker that lost its lease never writes
   * to that of its successor. Its frames are kept if the RAM disk was adopted and deleted otherwise, because after a power cut
   * they may contain blocks that were never written.
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

  /** Publishes a finished segment, durably; after that, its checkpoint may be committed. */
  async publishSegment(temporaryPath: string, name: string): Promise<{ bytes: number; sha256: string }> {
    const sha256 = await sha256File(temporaryPath);
    await publishFile(temporaryPath, this.segmentPath(name), 'segment');
    return { bytes: (await stat(this.segmentPath(name))).size, sha256 };
  }

  /** Whether a committed segment exists unchanged. */
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

  /** Deletes segments without a checkpoint: partial ones, and those of a worker that lost its lease. */
  async removeStrangers(keep: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.segments)) {
      if (keep.has(name)) continue;
      failPoint('segment.stranger-before-removal');
      await rm(join(this.segments, name), { recursive: true, force: true });
    }
  }
}

/** Deletes folders that belong to no unfinished job. @returns their count */
export async function removeOrphanFolders(jobsDir: string, unfinished: ReadonlySet<number>): Promise<number> {
  let removed = 0;
  for (const name of await readdirOrNone(jobsDir)) {
    if (unfinished.has(Number(name))) continue;
    await rm(join(jobsDir, name), { recursive: true, force: true });
    removed++;
  }
  return removed;
}

/** Names in a folder; none if the folder does not exist. */
export async function readdirOrNone(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw error;
  }
}

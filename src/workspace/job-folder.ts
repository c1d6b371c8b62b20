import { lstat, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { IdentifiedHome } from '../config/home.ts';
import { codeOf, TransientError } from '../domain/errors.ts';
import type { Lease } from '../domain/job.ts';
import { failPoint } from '../lib/fail-point.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { publishFile } from './durable-file.ts';
import { isMissingFile } from '../lib/file-errors.ts';

/** File in a job folder that contains the ID of its home. */
const STAMP = '.framekiln-home';

/** Everything else that Framekiln puts into a job folder. */
const ENTRIES = [
  'frames.index',
  'frames.index.tmp',
  'segments',
  'spill',
  'straight',
  'spoken',
  'speech',
] as const;

/** Names of segments and of segments that are being written; older versions had no token. */
const SEGMENT_NAME = /^b\d+(\.\d+)?\.\w+(\.tmp)?$/;

/** Names of spill folders: those of the RAM disks, and of older versions. */
const SPILL_NAME = /^(\d+\.\d+|framekiln-[0-9a-f]+-\d+-\d+-\w+)$/;

/**
 * Folder of a job on disk, `<jobs>/<id>/`, for everything that must survive a reboot: `frames.index`, `segments/`, `spill/`
 * if the RAM disk was full, `straight/` with a remuxed copy of a source that has timestamp discontinuities, or with the packed
 * images of a folder, `spoken/` with the video of a lip-sync job under its speech, and `speech/` with a copy of the speech.
 * The folder is deleted when the job is done or cancelled.
 *
 * `<jobs>` may be a link to a folder with files of other people and of other homes. A job folder therefore contains the ID
 * of its home, and nothing is deleted in a folder without it.
 */
export class JobFolder {
  readonly path: string;
  readonly indexFile: string;
  readonly segments: string;
  readonly straight: string;
  readonly spoken: string;
  readonly speech: string;

  readonly #homeId: string;

  constructor({ id, jobsDir }: Pick<IdentifiedHome, 'id' | 'jobsDir'>, jobId: number) {
    this.#homeId = id;
    this.path = join(jobsDir, String(jobId));
    this.indexFile = join(this.path, 'frames.index');
    this.segments = join(this.path, 'segments');
    this.straight = join(this.path, 'straight');
    this.spoken = join(this.path, 'spoken');
    this.speech = join(this.path, 'speech');
  }

  /**
   * Creates the folder, or marks an existing one as this home's.
   *
   * @throws TransientError JOB_FOLDER_TAKEN if the folder was made by something other than this home
   */
  async create(): Promise<void> {
    failPoint('job-folder.before-creation');
    const owner = await ownerOf(this.path, this.#homeId);
    if (owner === 'other')
      throw new TransientError(
        'JOB_FOLDER_TAKEN',
        `${this.path} does not belong to this Framekiln home; move it away so that the job can run.`,
      );
    makeFolder(this.path);
    await writeFile(join(this.path, STAMP), this.#homeId);
    makeFolder(this.segments);
    failPoint('job-folder.created');
  }

  get #spill(): string {
    return join(this.path, 'spill');
  }

  /**
   * Deletes what Framekiln put into the folder, and the folder itself unless it contains other files.
   *
   * @returns whether the folder is gone because of this
   */
  async remove(): Promise<boolean> {
    failPoint('job-folder.before-removal');
    if ((await ownerOf(this.path, this.#homeId)) !== 'this-home') return false;
    await this.removeStrangers(new Set());
    await this.removeSpill();
    for (const name of ['frames.index', 'frames.index.tmp', 'straight', 'spoken', 'speech'])
      await rm(join(this.path, name), { recursive: true, force: true });
    const isEmpty =
      (await removeIfEmpty(this.segments)) && (await readdir(this.path)).every((name) => name === STAMP);
    if (isEmpty) {
      // The stamp is deleted last, so that a removal that was killed can be completed later.
      await rm(join(this.path, STAMP), { force: true });
      await removeIfEmpty(this.path);
    }
    failPoint('job-folder.removed');
    return isEmpty;
  }

  /**
   * Opens the spill folder of a RAM disk. It has the name of the RAM disk, so that a worker that lost its lease never writes
   * to that of its successor. Its frames are kept if the RAM disk was adopted and deleted otherwise, because after a power cut
   * they may contain blocks that were never written.
   */
  async openSpill(disk: { readonly path: string; readonly adopted: boolean }): Promise<string> {
    const own = basename(disk.path);
    for (const name of await readdirOrNone(this.#spill)) {
      if ((disk.adopted && name === own) || !SPILL_NAME.test(name)) continue;
      await rm(join(this.#spill, name), { recursive: true, force: true });
    }
    return join(this.#spill, own);
  }

  async removeSpill(): Promise<void> {
    for (const name of await readdirOrNone(this.#spill))
      if (SPILL_NAME.test(name)) await rm(join(this.#spill, name), { recursive: true, force: true });
    await removeIfEmpty(this.#spill);
  }

  /** The video into which the images of a folder are packed. */
  get packedPath(): string {
    return join(this.straight, 'sequence.mp4');
  }

  /** The copy of a speech that the holder of a lease makes; another worker does not touch it. */
  speechCopy({ token }: Pick<Lease, 'token'>, audio: string): string {
    return join(this.speech, String(token), basename(audio));
  }

  /**
   * Deletes the copies that a lip-sync job reads instead of its source and its speech. A retry makes them again, and finds the
   * same frames in them; it needs the frame index and the segments, which stay.
   */
  async removeCopies(): Promise<void> {
    if ((await ownerOf(this.path, this.#homeId)) !== 'this-home') return;
    for (const copy of [this.spoken, this.speech]) await rm(copy, { recursive: true, force: true });
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
    for (const name of await readdirOrNone(this.segments)) {
      if (keep.has(name) || !SEGMENT_NAME.test(name)) continue;
      failPoint('segment.stranger-before-removal');
      await rm(join(this.segments, name), { recursive: true, force: true });
    }
  }
}

/** Deletes this home's folders of jobs that are finished. @returns their count */
export async function removeOrphanFolders(
  home: Pick<IdentifiedHome, 'id' | 'jobsDir'>,
  unfinished: ReadonlySet<number>,
): Promise<number> {
  let removed = 0;
  for (const jobId of await jobIdsIn(home.jobsDir))
    if (!unfinished.has(jobId) && (await new JobFolder(home, jobId).remove())) removed++;
  return removed;
}

/** Marks the job folders of a home that has got another ID. */
export async function renewJobFolders(
  jobsDir: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  for (const jobId of await jobIdsIn(jobsDir)) {
    const path = join(jobsDir, String(jobId));
    if ((await stampIn(path)) === from) await writeFile(join(path, STAMP), to);
  }
}

/** The home ID in the first stamp of the job folders; null if there is none. */
export async function stampedHomeId(jobsDir: string): Promise<string | null> {
  for (const jobId of await jobIdsIn(jobsDir)) {
    const stamp = await stampIn(join(jobsDir, String(jobId)));
    if (stamp !== null) return stamp;
  }
  return null;
}

async function jobIdsIn(jobsDir: string): Promise<number[]> {
  return (await readdirOrNone(jobsDir)).filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
}

/**
 * Who owns a folder, by its stamp. If the stamp is missing, the contents decide, because older versions wrote none and
 * a power cut may lose it.
 */
async function ownerOf(path: string, homeId: string): Promise<'this-home' | 'other' | 'nobody'> {
  try {
    if (!(await lstat(path)).isDirectory()) return 'other';
  } catch (error) {
    if (isMissingFile(error)) return 'nobody';
    throw error;
  }
  const stamp = await stampIn(path);
  if (stamp !== null) return stamp === homeId ? 'this-home' : 'other';
  const names = (await readdirOrNone(path)).filter((name) => name !== STAMP);
  if (names.length === 0) return 'nobody';
  const isKnown = names.every((name) => (ENTRIES as readonly string[]).includes(name));
  if (!isKnown || !names.includes('segments')) return 'other';
  const segments = await readdirOrNone(join(path, 'segments'));
  return segments.every((name) => SEGMENT_NAME.test(name)) ? 'this-home' : 'other';
}

/** ID of the home in a job folder; null if the stamp is missing or incomplete. */
async function stampIn(path: string): Promise<string | null> {
  try {
    const stamp = await readFile(join(path, STAMP), 'utf8');
    return /^[0-9a-f]{16}$/.test(stamp) ? stamp : null;
  } catch (error) {
    if (isMissingFile(error) || codeOf(error) === 'EISDIR') return null;
    throw error;
  }
}

/** Removes a folder if it is empty. @returns whether there is no such folder any more */
async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (isMissingFile(error)) return true;
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false;
    throw error;
  }
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

import type { Dirent } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { IdentifiedHome } from '../config/home.ts';
import { isOfRun, type Job, type JobState } from '../domain/job.ts';
import { counted } from '../lib/counted.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import { removeCopiesOfFailedJob } from '../workspace/copies-of-failed-job.ts';
import { jobOfHalfOutput, removeHalfOutputsOf } from '../workspace/half-output.ts';
import { JobFolder, readdirOrNone, removeOrphanFolders } from '../workspace/job-folder.ts';
import { isHalfMove } from '../workspace/move-aside.ts';
import { ramDiskPlaces } from '../workspace/ram-disk-places.ts';
import { removeOrphanRamDisks, removeRamDiskOf } from '../workspace/ram-disk.ts';

/** States in which a job's checkpoints are kept. */
const UNFINISHED: readonly JobState[] = ['queued', 'running', 'paused', 'failed'];

/**
 * Removes leftovers of dead processes: RAM disks and folders of finished jobs, and half-written outputs. Frames of jobs
 * that will resume are kept. Call it only while no worker of this home is running.
 *
 * @returns a phrase for each kind of leftover removed
 */
export async function removeLeftovers(home: IdentifiedHome, queue: Queue): Promise<string[]> {
  const unfinished = UNFINISHED.flatMap((state) => queue.jobs.listJobs({ state }));
  const running = idsOf(unfinished.filter((job) => job.state === 'running'));
  // The next worker may reuse their frames. No worker takes over the job of a stopped `framekiln run`.
  const aboutToRun = idsOf(
    unfinished.filter((job) => job.state === 'running' || (job.state === 'queued' && job.origin !== 'run')),
  );
  const counts: [number, string][] = [
    [await removeOrphanRamDisks(ramDiskPlaces(home), aboutToRun), 'RAM disk'],
    [await removeOrphanFolders(home, idsOf(unfinished)), 'job folder'],
    [await removeHalfOutputs(home, queue.jobs.listJobs(), running), 'half-written output'],
    [await removeHalfMoves(home), 'partially moved file'],
  ];
  return counts.filter(([count]) => count > 0).map(([count, what]) => counted(count, what));
}

/** Deletes the copies of lip-sync jobs that failed permanently. A worker that crashed in the last attempt has not deleted them. */
export async function removeCopiesOfFailedJobs(
  home: IdentifiedHome,
  queue: Queue,
  log: Logger,
): Promise<void> {
  // Each job is read again, because it may have been retried meanwhile.
  for (const { id } of queue.jobs.listJobs({ state: 'failed' }))
    await removeCopiesOfFailedJob(home, queue.jobs.getJob(id), log);
}

/** Releases the RAM disks of all jobs that are not running. */
export async function removeIdleRamDisks(home: IdentifiedHome, queue: Queue): Promise<void> {
  await removeOrphanRamDisks(ramDiskPlaces(home), idsOf(queue.jobs.listJobs({ state: 'running' })));
}

/** Deletes the frames in memory of a job that is not running. */
export async function removeJobFrames(home: IdentifiedHome, jobId: number): Promise<void> {
  await removeRamDiskOf(ramDiskPlaces(home), jobId);
}

/** Deletes the folder and the frames in memory of a job that is not running. */
export async function removeJobFiles(home: IdentifiedHome, jobId: number): Promise<void> {
  await removeRamDiskOf(ramDiskPlaces(home), jobId);
  await new JobFolder(home, jobId).remove();
}

/** Removes half-written outputs of jobs that are not running, also those of `framekiln run` in other folders. */
async function removeHalfOutputs(
  home: IdentifiedHome,
  jobs: readonly Job[],
  running: ReadonlySet<number>,
): Promise<number> {
  let removed = 0;
  for (const entry of await entriesBelow(home.output)) {
    const jobId = jobOfHalfOutput(home.id, entry.name);
    if (!entry.isFile() || jobId === null || running.has(jobId)) continue;
    await rm(join(entry.parentPath, entry.name), { force: true });
    removed++;
  }
  const elsewhere = jobs.filter((job) => isOfRun(job) && job.state !== 'running' && job.state !== 'done');
  for (const { id, outputPath } of elsewhere) removed += await removeHalfOutputsOf(home.id, id, outputPath);
  return removed;
}

/** Everything in a folder and its subfolders; nothing if it is a link to a missing disk. */
async function entriesBelow(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw error;
  }
}

/** Removes interrupted copies. Their sources still exist: a source is deleted only after its copy is complete. */
async function removeHalfMoves(home: IdentifiedHome): Promise<number> {
  let removed = 0;
  for (const folder of ['finished', 'quarantine'].map((name) => join(home.root, name)))
    for (const name of (await readdirOrNone(folder)).filter((each) => isHalfMove(home.id, each))) {
      await rm(join(folder, name), { force: true });
      removed++;
    }
  return removed;
}

function idsOf(jobs: readonly Job[]): Set<number> {
  return new Set(jobs.map((job) => job.id));
}

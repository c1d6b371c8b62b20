import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../config/home.ts';
import type { Job, JobState } from '../domain/job.ts';
import { counted } from '../lib/counted.ts';
import type { Queue } from '../queue/queue.ts';
import { jobOfHalfOutput, removeHalfOutputsOf } from '../workspace/half-output.ts';
import { JobFolder, readdirOrNone, removeOrphanFolders } from '../workspace/job-folder.ts';
import { isHalfMove } from '../workspace/move-aside.ts';
import { ramDiskPlaces } from '../workspace/ram-disk-places.ts';
import { removeOrphanRamDisks, removeRamDiskOf } from '../workspace/ram-disk.ts';

/** In these states a job's checkpoints are worth keeping. */
const UNFINISHED: readonly JobState[] = ['queued', 'running', 'paused', 'failed'];

/**
 * Removes what dead processes left: RAM disks and folders of jobs that are over, and half-written outputs. Frames of
 * jobs that go on stay where they are. Called while no worker of this home runs.
 *
 * @returns what was removed, a phrase each
 */
export async function removeLeftovers(home: Home, queue: Queue): Promise<string[]> {
  const unfinished = UNFINISHED.flatMap((state) => queue.jobs.listJobs({ state }));
  const running = idsOf(unfinished.filter((job) => job.state === 'running'));
  // Their frames may be used again by the next worker. A `run` that was given up is nobody's next job.
  const aboutToRun = idsOf(
    unfinished.filter((job) => job.state === 'running' || (job.state === 'queued' && job.origin !== 'run')),
  );
  const counts: [number, string][] = [
    [await removeOrphanRamDisks(ramDiskPlaces(home.stateDir), aboutToRun), 'RAM disk'],
    [await removeOrphanFolders(home.jobsDir, idsOf(unfinished)), 'job folder'],
    [await removeHalfOutputs(home, queue.jobs.listJobs(), running), 'half-written output'],
    [await removeHalfMoves(home), 'half-moved file'],
  ];
  return counts.filter(([count]) => count > 0).map(([count, what]) => counted(count, what));
}

/** Gives back the RAM disks of all jobs that no process holds. */
export async function removeIdleRamDisks(home: Home, queue: Queue): Promise<void> {
  await removeOrphanRamDisks(ramDiskPlaces(home.stateDir), idsOf(queue.jobs.listJobs({ state: 'running' })));
}

/** Deletes the frames that a job that nobody holds has in memory. */
export async function removeJobFrames(home: Home, jobId: number): Promise<void> {
  await removeRamDiskOf(ramDiskPlaces(home.stateDir), jobId);
}

/** Deletes what a job that nobody holds has on the disk and in memory. */
export async function removeJobFiles(home: Home, jobId: number): Promise<void> {
  await removeRamDiskOf(ramDiskPlaces(home.stateDir), jobId);
  await new JobFolder(home.jobsDir, jobId).remove();
}

/** Half-written outputs, also those of a `framekiln run` into another folder, but for those of a living one. */
async function removeHalfOutputs(
  home: Home,
  jobs: readonly Job[],
  running: ReadonlySet<number>,
): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(home.output, { recursive: true, withFileTypes: true })) {
    const jobId = jobOfHalfOutput(entry.name);
    if (!entry.isFile() || jobId === null || running.has(jobId)) continue;
    await rm(join(entry.parentPath, entry.name), { force: true });
    removed++;
  }
  const elsewhere = jobs.filter(
    ({ origin, state }) => origin === 'run' && state !== 'running' && state !== 'done',
  );
  for (const { id, outputPath } of elsewhere) removed += await removeHalfOutputsOf(id, outputPath);
  return removed;
}

/** Copies that a kill broke off; no source is gone before its copy is whole and has its name. */
async function removeHalfMoves(home: Home): Promise<number> {
  let removed = 0;
  for (const folder of ['finished', 'quarantine'].map((name) => join(home.root, name)))
    for (const name of (await readdirOrNone(folder)).filter((each) => isHalfMove(each))) {
      await rm(join(folder, name), { force: true });
      removed++;
    }
  return removed;
}

function idsOf(jobs: readonly Job[]): Set<number> {
  return new Set(jobs.map((job) => job.id));
}

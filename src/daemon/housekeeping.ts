import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../config/home.ts';
import type { Job, JobState } from '../domain/job.ts';
import { counted } from '../lib/counted.ts';
import type { Queue } from '../queue/queue.ts';
import { JobFolder, removeOrphanFolders } from '../workspace/job-folder.ts';
import { ramDiskPlaces, removeOrphanRamDisks, removeRamDiskOf } from '../workspace/ram-disk.ts';

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
    [await removeHalfOutputs(home.output, running), 'half-written output'],
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

/** Half-written outputs, but for those of a living `framekiln run`. */
async function removeHalfOutputs(outputDir: string, running: ReadonlySet<number>): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(outputDir, { recursive: true, withFileTypes: true })) {
    const jobId = /^\.framekiln-(\d+)-\d+\.\w+$/.exec(entry.name)?.[1];
    if (!entry.isFile() || jobId === undefined || running.has(Number(jobId))) continue;
    await rm(join(entry.parentPath, entry.name), { force: true });
    removed++;
  }
  return removed;
}

function idsOf(jobs: readonly Job[]): Set<number> {
  return new Set(jobs.map((job) => job.id));
}

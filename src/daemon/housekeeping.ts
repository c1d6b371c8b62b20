import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../config/home.ts';
import type { JobState } from '../domain/job.ts';
import { counted } from '../lib/counted.ts';
import type { Queue } from '../queue/queue.ts';
import { JobFolder, removeOrphanFolders } from '../workspace/job-folder.ts';
import { ramDiskPlaces, removeOrphanRamDisks, removeRamDiskOf } from '../workspace/ram-disk.ts';

/** In these states a job's checkpoints are worth keeping. */
const UNFINISHED: readonly JobState[] = ['queued', 'running', 'paused', 'failed'];
/** In these a job's frames on the RAM disk may be used again by the next worker. */
const ABOUT_TO_RUN: readonly JobState[] = ['queued', 'running'];

/**
 * Removes what dead processes left: RAM disks and folders of jobs that are over, and half-written outputs. Frames of
 * jobs that go on stay where they are. Called while no worker of this home runs.
 *
 * @returns what was removed, a phrase each
 */
export async function removeLeftovers(home: Home, queue: Queue): Promise<string[]> {
  const idsIn = (states: readonly JobState[]): Set<number> =>
    new Set(states.flatMap((state) => queue.jobs.listJobs({ state })).map((job) => job.id));
  const counts: [number, string][] = [
    [await removeOrphanRamDisks(ramDiskPlaces(home.stateDir), idsIn(ABOUT_TO_RUN)), 'RAM disk'],
    [await removeOrphanFolders(home.jobsDir, idsIn(UNFINISHED)), 'job folder'],
    [await removeHalfOutputs(home.output), 'half-written output'],
  ];
  return counts.filter(([count]) => count > 0).map(([count, what]) => counted(count, what));
}

/** Deletes what a job that nobody holds has on the disk and in memory. */
export async function removeJobFiles(home: Home, jobId: number): Promise<void> {
  await removeRamDiskOf(ramDiskPlaces(home.stateDir), jobId);
  await new JobFolder(home.jobsDir, jobId).remove();
}

async function removeHalfOutputs(outputDir: string): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(outputDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/^\.framekiln-\d+\.\w+$/.test(entry.name)) continue;
    await rm(join(entry.parentPath, entry.name), { force: true });
    removed++;
  }
  return removed;
}

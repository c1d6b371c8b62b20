import { rm } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Lease } from '../domain/job.ts';
import { readdirOrNone } from './job-folder.ts';

/**
 * Where a video is joined and checked: hidden, beside the finished file, so that the last step is a rename on one file
 * system. The token makes it this worker's own (R10).
 */
export function halfOutputPath(outputPath: string, { jobId, token }: Pick<Lease, 'jobId' | 'token'>): string {
  return join(dirname(outputPath), `.framekiln-${jobId}-${token}${extname(outputPath)}`);
}

/** The job whose half-written output has such a name; null for any other name. */
export function jobOfHalfOutput(name: string): number | null {
  const id = /^\.framekiln-(\d+)-\d+\.\w+$/.exec(name)?.[1];
  return id === undefined ? null : Number(id);
}

/** Removes what earlier workers of a job left beside its output: each is of the size of the video. @returns how many */
export async function removeHalfOutputsOf(jobId: number, outputPath: string): Promise<number> {
  const folder = dirname(outputPath);
  const left = (await readdirOrNone(folder)).filter((name) => jobOfHalfOutput(name) === jobId);
  for (const name of left) await rm(join(folder, name), { force: true });
  return left.length;
}

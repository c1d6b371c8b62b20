import { rm } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Lease } from '../domain/job.ts';
import { readdirOrNone } from './job-folder.ts';

/**
 * Path at which a video is joined and verified: a hidden file in the folder of the finished video, so that the last step is
 * a rename on one file system. It contains the token, so that a worker that lost its lease never writes to this file.
 */
export function halfOutputPath(outputPath: string, { jobId, token }: Pick<Lease, 'jobId' | 'token'>): string {
  return join(dirname(outputPath), `.framekiln-${jobId}-${token}${extname(outputPath)}`);
}

/** Id of the job whose unfinished output has this name; null for any other name. */
export function jobOfHalfOutput(name: string): number | null {
  const id = /^\.framekiln-(\d+)-\d+\.\w+$/.exec(name)?.[1];
  return id === undefined ? null : Number(id);
}

/** Deletes unfinished outputs that earlier workers of a job left; each may be as large as the video. @returns their count */
export async function removeHalfOutputsOf(jobId: number, outputPath: string): Promise<number> {
  const folder = dirname(outputPath);
  const left = (await readdirOrNone(folder)).filter((name) => jobOfHalfOutput(name) === jobId);
  for (const name of left) await rm(join(folder, name), { force: true });
  return left.length;
}

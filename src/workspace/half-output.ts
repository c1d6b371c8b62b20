import { rm } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Lease } from '../domain/job.ts';
import { readdirOrNone } from './job-folder.ts';

/**
 * Path at which a video is joined and verified: a hidden file in the folder of the finished video, so that the last step is
 * a rename on one file system. It contains the ID of the home, because homes may share the folder, and the token, so that a
 * worker that lost its lease never writes to this file.
 */
export function halfOutputPath(
  homeId: string,
  outputPath: string,
  { jobId, token }: Pick<Lease, 'jobId' | 'token'>,
): string {
  return join(dirname(outputPath), `.framekiln-${homeId}-${jobId}-${token}${extname(outputPath)}`);
}

/** ID of the job of this home whose unfinished output has this name; null for any other name. */
export function jobOfHalfOutput(homeId: string, name: string): number | null {
  const id = new RegExp(`^\\.framekiln-${homeId}-(\\d+)-\\d+\\..+$`, 's').exec(name)?.[1];
  return id === undefined ? null : Number(id);
}

/** Deletes unfinished outputs that earlier workers of a job left; each may be as large as the video. @returns their count */
export async function removeHalfOutputsOf(
  homeId: string,
  jobId: number,
  outputPath: string,
): Promise<number> {
  const folder = dirname(outputPath);
  const left = (await readdirOrNone(folder)).filter((name) => jobOfHalfOutput(homeId, name) === jobId);
  for (const name of left) await rm(join(folder, name), { force: true });
  return left.length;
}

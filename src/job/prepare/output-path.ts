import { extname } from 'node:path';
import { whyNotOutput } from '../../config/home.ts';
import { InputRejectedError } from '../../domain/errors.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobContext } from '../job-context.ts';

/** The longest file name of Linux file systems, in bytes. */
const LONGEST_NAME = 255;

/**
 * The path of the finished file: `clip.mp4` stays `clip.mp4`; `clip.avi` becomes `clip.avi.mkv`, so that it does not
 * collide with the output of a `clip.mkv`.
 *
 * @param extension of the container, with its dot
 */
export function withExtension(path: string, extension: string): string {
  if (extname(path).toLowerCase() === extension) return path;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const fits = Buffer.byteLength(name + extension) <= LONGEST_NAME;
  return fits ? path + extension : path.slice(0, path.length - extname(path).length) + extension;
}

/**
 * Rejects an output path that must not be written, before any work is done.
 *
 * @throws InputRejectedError OUTPUT_NOT_ALLOWED; on the first start of a job also OUTPUT_EXISTS, because later starts
 *   find the job's own file
 */
export async function assertOutputAllowed(
  { home, job, settings }: JobContext,
  outputPath: string,
): Promise<void> {
  const fault = whyNotOutput(home, job.sourcePath, outputPath);
  if (fault !== null) throw new InputRejectedError('OUTPUT_NOT_ALLOWED', fault);
  if (settings.output.existing === 'keep' && job.plan === null && (await sizeOrZero(outputPath)) > 0) {
    throw new InputRejectedError(
      'OUTPUT_EXISTS',
      `${outputPath} already exists and output.existing is keep.`,
    );
  }
}

import { extname } from 'node:path';
import { whyNotOutput } from '../../config/home.ts';
import { InputRejectedError } from '../../domain/errors.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobContext } from '../job-context.ts';

/** The longest name that Linux's file systems take, in bytes. */
const LONGEST_NAME = 255;

/**
 * The finished file's path: `clip.mp4` stays `clip.mp4`; `clip.avi` becomes `clip.avi.mkv`, so that it meets no
 * `clip.mkv`.
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
 * Rejects what must not be written, before any work is done.
 *
 * @throws InputRejectedError OUTPUT_NOT_ALLOWED, and OUTPUT_EXISTS on a job's first start: later ones find their own file
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
      `${outputPath} exists already and output.existing is keep.`,
    );
  }
}

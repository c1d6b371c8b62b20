import { extname } from 'node:path';
import { whyNotOutput } from '../../config/home.ts';
import { InputRejectedError } from '../../domain/errors.ts';
import { LONGEST_FILE_NAME_BYTES } from '../../lib/next-file-name.ts';
import type { JobContext } from '../job-context.ts';

/**
 * The path of the finished file: `clip.mp4` stays `clip.mp4`; `clip.avi` becomes `clip.avi.mkv`, so that it does not
 * collide with the output of a `clip.mkv`.
 *
 * @param extension of the container, with its dot
 */
export function withExtension(path: string, extension: string): string {
  if (extname(path).toLowerCase() === extension) return path;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const fits = Buffer.byteLength(name + extension) <= LONGEST_FILE_NAME_BYTES;
  return fits ? path + extension : path.slice(0, path.length - extname(path).length) + extension;
}

/**
 * Rejects an output path that must not be written, before any work is done.
 *
 * @throws InputRejectedError OUTPUT_NOT_ALLOWED
 */
export function assertOutputAllowed({ home, job }: JobContext, outputPath: string): void {
  const fault = whyNotOutput(home, job.sourcePath, outputPath);
  if (fault !== null) throw new InputRejectedError('OUTPUT_NOT_ALLOWED', fault);
}

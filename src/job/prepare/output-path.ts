import { existsSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { whyNotOutput } from '../../config/home.ts';
import { InputRejectedError } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import { hasVideoExtension } from '../../domain/video-extensions.ts';
import { LONGEST_FILE_NAME_BYTES } from '../../lib/next-file-name.ts';
import { visibleText } from '../../lib/visible-text.ts';
import type { JobContext } from '../job-context.ts';
import { assertNameIsFree, reserveOutputName } from '../output-name.ts';
import { acceptablePath } from './acceptable-path.ts';

/**
 * Paths for the finished file, the best first: `clip.mp4` stays `clip.mp4`; `clip.avi` becomes `clip.mkv`, or
 * `clip.avi.mkv` if that name is taken or there is a source called `clip.mkv`.
 *
 * @param extension of the container, with its dot
 */
export function outputPaths(
  { outputPath, sourcePath }: OutputRequest,
  extension: string,
): [string, ...string[]] {
  const long = withExtension(outputPath, extension);
  // A WebP file that becomes a video is an animation.
  const isVideo = hasVideoExtension(outputPath) || extname(outputPath).toLowerCase() === '.webp';
  if (long === outputPath || !isVideo) return [long];
  const short = withoutExtension(outputPath) + extension;
  const isOfAnother = existsSync(join(dirname(sourcePath), basename(short)));
  return isOfAnother ? [long] : [short, long];
}

type OutputRequest = Pick<Job, 'outputPath' | 'sourcePath'>;

function withExtension(path: string, extension: string): string {
  if (extname(path).toLowerCase() === extension) return path;
  const fits = Buffer.byteLength(basename(path) + extension) <= LONGEST_FILE_NAME_BYTES;
  return (fits ? path : withoutExtension(path)) + extension;
}

function withoutExtension(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

/** Reserves the final name of the output. @throws InputRejectedError if it must not be written */
export async function chooseOutputPath(context: JobContext, extension: string): Promise<string> {
  const { home, job, log } = context;
  const outputPath = acceptablePath(context, job.outputPath);
  const [best, ...others] = outputPaths({ ...job, outputPath }, extension);
  if (job.plan === null) await assertNameIsFree(context, best);
  let path = '';
  for (const wanted of [best, ...others]) {
    assertOutputAllowed(context, wanted);
    ({ path } = await reserveOutputName(context, wanted));
    if (path === wanted) break;
  }
  if (outputPath !== job.outputPath) {
    const [given, accepted] = [job.outputPath, path].map((each) => visibleText(relative(home.output, each)));
    log.info(`the file system of the output does not accept ${given}; the output will be ${accepted}`);
  } else if (![best, ...others].includes(path))
    log.info(`the output will be named ${basename(path)}, because ${basename(best)} is taken`);
  assertOutputAllowed(context, path);
  return path;
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

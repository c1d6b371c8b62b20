import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputRejectedError } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { isPlaceholder } from '../workspace/durable-file.ts';
import type { JobContext } from './job-context.ts';

/** What stands at the path of an output: nothing, a file that this job may replace, or something that it must not touch. */
type Occupant = 'none' | 'replaceable' | 'foreign';

export interface OutputName {
  readonly path: string;
  /** Whether the file at `path` is an earlier output that the new one replaces. */
  readonly replaces: boolean;
}

/**
 * Reserves the name of a finished video: the requested one, or `clip (2).mp4` and so on if another job has it or another
 * file stands there (promise 37 in docs/promises.md).
 */
export async function reserveOutputName(context: JobContext, outputPath: string): Promise<OutputName> {
  const { queue, job, lease } = context;
  const foreign = new Set<string>();
  for (;;) {
    const path = queue.outputs.reserve(job, lease, outputPath, (name) => foreign.has(name));
    const occupant = await occupantOf(context, path);
    if (occupant !== 'foreign') return { path, replaces: occupant === 'replaceable' };
    foreign.add(path);
  }
}

/** Rejects the job with OUTPUT_EXISTS if `output.existing` is `keep` and another file has the name of the output. */
export async function assertNameIsFree(context: JobContext, outputPath: string): Promise<void> {
  if (context.settings.output.existing !== 'keep') return;
  if ((await occupantOf(context, outputPath)) !== 'foreign') return;
  throw new InputRejectedError(
    'OUTPUT_EXISTS',
    `${basename(outputPath)} already exists, and output.existing is set to keep.`,
  );
}

/**
 * A file may be replaced if it still has the bytes of an output of this job, or with `output.existing: replace` of an older
 * job for the same content.
 */
async function occupantOf(
  { home, queue, job, settings, signal }: JobContext,
  path: string,
): Promise<Occupant> {
  const written =
    settings.output.existing === 'replace'
      ? queue.outputs.writtenForContent(job)
      : queue.outputs.writtenByJob(job);
  try {
    const found = await lstat(path);
    if (await isPlaceholder(path, home.id)) return 'none';
    const ofThisSize = written.filter(({ bytes }) => bytes === found.size);
    if (!found.isFile() || ofThisSize.length === 0) return 'foreign';
    const sha256 = await sha256File(path, signal);
    return ofThisSize.some((output) => output.sha256 === sha256) ? 'replaceable' : 'foreign';
  } catch (error) {
    if (isMissingFile(error)) return 'none';
    throw error;
  }
}

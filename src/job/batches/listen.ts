import { toError } from '../../domain/errors.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { readLoudness } from '../../media/loudness/read-loudness.ts';
import type { JobContext } from '../job-context.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';

/**
 * The loudness of the first audio track in each frame, in decibels; null if there is none, or none that can be decoded:
 * the movement of mouths then has to do.
 */
export async function listen(
  { log, signal }: Pick<JobContext, 'log' | 'signal'>,
  { media, index }: Pick<PreparedJob, 'media' | 'index'>,
): Promise<Float32Array | null> {
  const track = media.others.find(({ kind }) => kind === 'audio');
  if (track === undefined) return null;
  try {
    return await readLoudness(media, track, index, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(
      `cannot decode the audio, so only the movement of mouths tells who is speaking: ${withoutFullStop(toError(error).message)}`,
    );
    return null;
  }
}

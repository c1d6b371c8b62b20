import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InternalError } from '../../domain/errors.ts';
import { ArrivingSpeech } from '../../media/speech/arriving-speech.ts';
import { decodeSpeech } from '../../media/speech/decode-speech.ts';
import { spokenRate } from '../../media/speech/spoken-video.ts';
import { readdirOrNone, type JobFolder } from '../../workspace/job-folder.ts';
import { ReceivedSpeech } from '../../workspace/received-speech.ts';
import { processBatches } from '../batches/process-batches.ts';
import type { JobContext } from '../job-context.ts';
import { prepareJob } from '../prepare/prepare-job.ts';
import { aheadFolder } from '../prepare/speak-source.ts';
import { extendDirections } from './extend-directions.ts';
import { heardBatches, UNSETTLED_SAMPLES } from './heard-batches.ts';

/** Length of the first video that is made ahead of a speech. Each further one is twice as long as the one before. */
const FIRST_SECONDS = 8;

/**
 * Makes batches of a lip-sync job while its speech arrives on standard input, until the speech is complete. After that, the job is
 * like any other: it finds these batches as a resumed job does, because they are those that it would make itself.
 *
 * @param audio path of the complete speech
 * @returns the context with the job as it is planned now
 */
export async function makeEarlyBatches(
  context: JobContext,
  folder: JobFolder,
  audio: string,
): Promise<JobContext> {
  const { log, inference, signal } = context;
  const received = new ReceivedSpeech(audio);
  const bytes = (stop: AbortSignal): AsyncIterable<Buffer> => received.bytes(stop);
  const arriving = { bytes, name: basename(audio), folder: dirname(audio) };
  const speech = new ArrivingSpeech(arriving, signal);
  try {
    // A resumed job may have the whole speech, and all batches that can be made early.
    if (existsSync(audio)) await speech.reaches(Infinity, signal);
    let now = context;
    let seconds = (await lastAheadSeconds(folder)) ?? FIRST_SECONDS;
    while (!(speech.hasEnded && areFacesChosen(now))) {
      const prepared = await prepareJob(now, folder, seconds);
      now = planned(now);
      extendDirections(now, prepared);
      log.info(`finished segments are in ${folder.segments} while the speech arrives`);
      await processBatches(now, folder, prepared, (stop) =>
        heardBatches(prepared, { speech, received, inference }, stop),
      );
      if (speech.hasEnded) break;
      await rm(aheadFolder(folder, seconds), { recursive: true, force: true });
      const { num, den } = spokenRate(prepared.media.video);
      seconds = Math.ceil((2 * prepared.index.pts.length * den) / num);
    }
    dropIfDifferent(now, await decodeSpeech(audio, signal), speech.samples);
    return now;
  } finally {
    await speech.close();
    await received.close();
  }
}

/** Drops the batches that were made from a speech which is another one when its file is decoded as a whole. No such format is known. */
function dropIfDifferent(
  { queue, lease, log }: JobContext,
  whole: Float32Array,
  arrived: Float32Array,
): void {
  const settled = arrived.subarray(0, Math.max(0, arrived.length - UNSETTLED_SAMPLES));
  if (settled.length <= whole.length && settled.every((value, i) => value === whole[i])) return;
  log.warn('the speech is decoded differently now that it is complete; starting over');
  queue.batches.removeAll(lease);
}

function areFacesChosen({ queue, job }: JobContext): boolean {
  return queue.analyses.getDecisions(job.id) !== null;
}

/** The context with the plan that was stored, by which all further batches are made. */
function planned(context: JobContext): JobContext {
  const job = context.queue.jobs.getJob(context.job.id);
  if (job === null) throw new InternalError(`Job ${context.job.id} is gone.`);
  return { ...context, job };
}

/** Length of the video that an earlier attempt was working on; null if there was none. */
async function lastAheadSeconds(folder: JobFolder): Promise<number | null> {
  const names = await readdirOrNone(join(folder.spoken));
  const lengths = names.map((name) => Number(/^ahead-(\d+)$/.exec(name)?.[1] ?? 0));
  return lengths.length === 0 ? null : Math.max(...lengths) || null;
}

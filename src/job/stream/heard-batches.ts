import type { BatchRange } from '../../domain/frame-batch.ts';
import type { InferenceClient } from '../../inference-thread/client.ts';
import type { ArrivingSpeech } from '../../media/speech/arriving-speech.ts';
import {
  finalColumns,
  melSpectrogram,
  samplesForColumns,
  SPEECH_RATE,
} from '../../media/speech/mel-spectrogram.ts';
import { spokenRate } from '../../media/speech/spoken-video.ts';
import { columnsHeard } from '../../pipelines/lip-sync/speech.ts';
import type { ReceivedSpeech } from '../../workspace/received-speech.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';

/**
 * Samples at the end of what has arrived that may still change: ffmpeg keeps the padding at the end of an MP3 that comes from a
 * pipe (17 ms), and resamples the last millisecond differently.
 */
export const UNSETTLED_SAMPLES = SPEECH_RATE / 10;

export interface HeardSpeech {
  readonly speech: ArrivingSpeech;
  readonly received: ReceivedSpeech;
  readonly inference: Pick<InferenceClient, 'hear'>;
}

/**
 * The missing batches of a job, each as soon as no speech that begins like the one so far can change it: its frames are inside the
 * speech, and so is all that they hear, with the samples around it. Ends where the speech ends, or the video that was made ahead of it.
 */
export async function* heardBatches(
  { missing, plan, media }: Pick<PreparedJob, 'missing' | 'plan' | 'media'>,
  { speech, received, inference }: HeardSpeech,
  signal: AbortSignal,
): AsyncIterable<BatchRange> {
  const { num, den } = spokenRate(media.video);
  let from = 0;
  for (const range of missing) {
    const end = range.firstFrame + range.frameCount;
    // The last batch of a video that was made ahead may have more frames in the next one.
    if (range.frameCount < (range.number === 0 ? plan.firstBatchFrames : plan.batchFrames)) return;
    const samples = Math.max(
      Math.ceil((end * den * SPEECH_RATE) / num),
      samplesForColumns(columnsHeard(end - 1, num / den)),
    );
    if (!(await speech.reaches(samples + UNSETTLED_SAMPLES, signal))) return;
    const to = finalColumns(speech.samples.length - UNSETTLED_SAMPLES);
    inference.hear(await melSpectrogram(speech.samples, signal, { from, to }));
    from = to;
    // A checkpoint must not outlive the speech that it was made from.
    await received.sync();
    yield range;
  }
}

import { basename } from 'node:path';
import { InternalError, toError } from '../../domain/errors.ts';
import type { ModelFile } from '../../domain/models.ts';
import { isOfSequence, type LipSyncRecipe } from '../../domain/recipe.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { decodeSpeech } from '../../media/speech/decode-speech.ts';
import { melSpectrogram } from '../../media/speech/mel-spectrogram.ts';
import { decodeSeenFrames, seenFrames } from '../../pipelines/lip-sync/known-faces.ts';
import type { Speech } from '../../pipelines/pipeline-needs.ts';
import { JobFolder } from '../../workspace/job-folder.ts';
import { KeptAnalysis } from '../../workspace/kept-analyses.ts';
import type { JobContext } from '../job-context.ts';
import type { PreparedJob } from './prepared-job.ts';

/** Increases when what is kept gets another meaning. */
const VERSION = 1;

type Work = Pick<PreparedJob, 'media' | 'plan' | 'cycle' | 'isAhead'> & {
  readonly detector?: ModelFile | null;
};

/** The speech of a lip-sync job, and what earlier jobs have found in the same video; undefined for other jobs. */
export async function speechOf(context: JobContext, work: Work): Promise<Speech | undefined> {
  const { recipe } = context.job;
  if (recipe.pipeline !== 'lip-sync') return undefined;
  if (work.cycle === undefined) throw new InternalError('The video of a lip-sync job is not made.');
  const seen = await read(context, keptFrames(context, work, await contentOf(context.job)));
  return {
    // As long as it arrives, the batches get what they need (job/stream).
    mel: work.isAhead === true ? new Float32Array(0) : await spectrogram(context, recipe),
    cycle: work.cycle,
    facesAtOnce: work.plan.facesAtOnce ?? 1,
    seenFrames: seen?.[0] ?? null,
  };
}

/** Keeps the faces that a lip-sync job has found in frames for later jobs with the same video. */
export async function keepSeenFrames(
  context: JobContext,
  work: Work,
  findings: readonly Uint8Array[],
): Promise<void> {
  const { job } = context;
  if (job.recipe.pipeline !== 'lip-sync') return;
  const kept = keptFrames(context, work, await contentOf(job));
  const before = await read(context, kept);
  await write(
    context,
    kept,
    seenFrames(findings, before?.[0] === undefined ? [] : decodeSeenFrames(before[0])),
  );
}

/** SHA-256 of the video without the speech; of a folder of images, with it. */
async function contentOf({ sourcePath, fingerprint, recipe }: JobContext['job']): Promise<string> {
  return isOfSequence(recipe) ? fingerprint : sha256File(sourcePath);
}

function keptFrames({ home }: JobContext, { media, detector }: Work, video: string): KeptAnalysis {
  const { width, height, bitsPerComponent } = media.video;
  return new KeptAnalysis(home, ['faces', VERSION, video, width, height, bitsPerComponent, detector?.sha256]);
}

/** The features of the speech that the job has copied, which are computed once for each content. */
async function spectrogram(
  context: JobContext,
  { audio: recipeAudio }: LipSyncRecipe,
): Promise<Float32Array> {
  const { home, job, lease, log, signal } = context;
  if (recipeAudio === undefined) throw new InternalError('A lip-sync job has no speech.');
  const audio = new JobFolder(home, job.id).speechCopy(lease, recipeAudio);
  const kept = new KeptAnalysis(home, ['speech', VERSION, await sha256File(audio, signal)]);
  const [bytes] = (await read(context, kept)) ?? [];
  if (bytes !== undefined) return new Float32Array(Uint8Array.from(bytes).buffer);
  const startedAtMs = performance.now();
  const mel = await melSpectrogram(await decodeSpeech(audio, signal), signal);
  log.info(
    `analysed the speech ${basename(audio)} in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`,
  );
  await write(context, kept, new Uint8Array(mel.buffer));
  return mel;
}

async function read({ log }: JobContext, kept: KeptAnalysis): Promise<Uint8Array[] | null> {
  try {
    return await kept.read();
  } catch (error) {
    log.warn(
      `the kept analysis of this video or speech is damaged (${toError(error).message}); analysing it again`,
    );
    await kept.remove();
    return null;
  }
}

/** Keeps something for later jobs. That is a convenience: the job goes on if it fails. */
async function write({ log }: JobContext, kept: KeptAnalysis, bytes: Uint8Array): Promise<void> {
  try {
    await kept.write([bytes]);
  } catch (error) {
    log.warn(`cannot keep the analysis for later jobs: ${withoutFullStop(toError(error).message)}`);
  }
}

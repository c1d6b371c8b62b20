import { toError } from '../../domain/errors.ts';
import type { Recipe } from '../../domain/recipe.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { visibleText } from '../../lib/visible-text.ts';
import { parseJobMessage, type CloudJob } from '../queue/job-message.ts';
import type { Received } from '../queue/sqs-queue.ts';
import { JobState } from '../state/job-state.ts';
import { answerAgain, answerWithoutVideo } from './answer-again.ts';
import { claimJob } from './claim-job.ts';
import type { CloudContext } from './cloud-context.ts';
import { deliver } from './deliver.ts';
import { downloadSource } from './download-source.ts';
import { HandOver, Poison, superseded } from './ends.ts';
import { JobEvents } from './events.ts';
import { LocalJob } from './local-job.ts';
import type { MessageProgress } from './message-progress.ts';
import { MessageHold } from './message-hold.ts';
import { processFrames } from './process-frames.ts';
import { publishResult } from './publish.ts';
import { restoreCheckpoints } from './restore-checkpoints.ts';
import { settleMessage, type MessageEnd } from './settle-message.ts';

/** Processes one message to its end. Only what makes this worker useless is thrown. */
export async function processMessage(context: CloudContext, message: Received): Promise<MessageEnd> {
  const progress: MessageProgress = {
    job: null,
    state: null,
    claim: null,
    stage: 'message',
    framesDone: 0,
    hasMoved: false,
  };
  let beat = 0;
  const hold = new MessageHold({
    ...{ message, queue: context.queue, times: context.times, log: context.log, nowMs: context.nowMs },
    onExtended: async () => {
      const { state, claim } = progress;
      if (state === null || claim === null) return;
      if (await state.isSuperseded(claim)) hold.end(superseded());
      else await state.setAlive(claim, ++beat);
    },
  }).start();
  let failure: unknown = null;
  try {
    const end = await work(context, message, hold, progress);
    if (end !== null) return end;
  } catch (error) {
    failure = hold.signal.aborted ? hold.signal.reason : error;
  } finally {
    hold.close();
  }
  return settleMessage(context, { message, progress, hold }, failure === null ? null : toError(failure));
}

/** @returns how the message ended, if it is settled already; null if the job is done */
async function work(
  context: CloudContext,
  message: Received,
  hold: MessageHold,
  progress: MessageProgress,
): Promise<MessageEnd | null> {
  const { log, queue } = context;
  const job = parseJobMessage(message.body, { ...context.rules, queueUrl: message.queueUrl });
  progress.job = job;
  const recipe = recipeOf(context, job);
  const fallback =
    job.device === 'gpu' && context.gpu === null
      ? 'The message asks for a GPU, and this machine has none that models run on; the job runs on the CPU.'
      : null;
  if (fallback !== null) log.warn(`${visibleText(job.jobId)}: ${fallback}`);
  const local = await LocalJob.open(context.home, job.input.key, log);
  const stopDownload = (): void => hold.end(toError(context.stopping.reason));
  context.stopping.addEventListener('abort', stopDownload);
  try {
    if (context.stopping.aborted) stopDownload();
    progress.stage = 'download';
    try {
      await downloadSource(context, job.input, local.sourcePath, hold);
    } catch (error) {
      const isGone = error instanceof Poison && error.code === 'INPUT_MISSING';
      if (isGone && (await answerWithoutVideo(context, message, job))) return null;
      throw error;
    }
    const fingerprint = await sha256File(local.sourcePath, hold.signal);
    const state = JobState.of(context.bucket(context.rules.bucket), job, { fingerprint, recipe });
    progress.state = state;
    if (await answerAgain(context, message, job, state)) return null;
    const claim = await claimJob(context, message, state, hold);
    if (typeof claim === 'string') return claim;
    progress.claim = claim;
    await state.setAlive(claim, 0);
    const events = new JobEvents(queue, job, log);
    let result = await state.result();
    if (result === null) {
      local.enter(fingerprint, recipe);
      await assertFewDeliveries(message, claim, state);
      progress.stage = 'restore';
      const rows = await restoreCheckpoints(context, state, local, hold);
      // From here on, the end of the batch is waited for.
      context.stopping.removeEventListener('abort', stopDownload);
      const names = { jobId: visibleText(job.jobId), outputKey: job.output.key };
      await processFrames(context, { ...names, state, claim, local, hold, events, progress, rows });
      progress.stage = 'publish';
      // It may be the result of a worker that had the job before and has ended it late.
      result = await publishResult(context, { job, state, local, claim, fallback, hold });
    }
    progress.stage = 'deliver';
    await deliver(context, { message, job, state, events, claim, hold }, result);
    return null;
  } finally {
    context.stopping.removeEventListener('abort', stopDownload);
    await local.remove();
  }
}

/** Deliveries after which a message is sent anew; SQS itself moves it to the dead-letter queue after five. */
const RENEWED_DELIVERY = 4;

/**
 * Machines that are taken away without notice use up the deliveries of a message, though the job moves. A job that has had a
 * checkpoint since gets a new message; one whose workers only crash does not. @throws HandOver
 */
async function assertFewDeliveries(
  { receiveCount }: Received,
  claim: number,
  state: JobState,
): Promise<void> {
  if (receiveCount < RENEWED_DELIVERY) return;
  const hasMoved = (await state.rows()).some((row) => row.claim > claim - RENEWED_DELIVERY);
  if (hasMoved) throw new HandOver(`The message was delivered ${receiveCount} times, and the job moves.`);
}

function recipeOf({ settings }: CloudContext, { device, scale }: CloudJob): Recipe {
  const { recipe } = settings.now();
  const model = recipe.pipeline === 'upscale' ? recipe.model : 'realesr-general-x4v3';
  const tile = recipe.pipeline === 'upscale' ? recipe.tile : 'auto';
  return { pipeline: 'upscale', model, scale, device, tile };
}

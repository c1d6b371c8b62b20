import { codeOf, ConfigurationError, FramekilnError, toError, TransientError } from '../../domain/errors.ts';
import { visibleText } from '../../lib/visible-text.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { codeOfAws, explainFault, explainRefusal, isStoreFull, statusOf } from '../aws/aws-errors.ts';
import { ConditionFailed } from '../object-store/object-store.ts';
import { senderOf } from '../queue/job-message.ts';
import { RETRIES_ATTRIBUTE, type Received } from '../queue/sqs-queue.ts';
import type { CloudContext } from './cloud-context.ts';
import { CannotGoOn, HandOver, MessageLost, Poison, Stalled, superseded } from './ends.ts';
import { JobEvents } from './events.ts';
import type { MessageHold } from './message-hold.ts';
import type { MessageProgress } from './message-progress.ts';

/** What became of a message. */
export type MessageEnd = 'done' | 'dead' | 'handed-over' | 'put-back' | 'lost' | 'copy';

/** Deliveries after which an unforeseen error sends a message to the dead-letter queue, with its reason. */
const MAX_DELIVERIES = 5;

/** Transient errors in a row, without a new checkpoint between them, that a job survives; with the pauses, about 45 minutes. */
const MAX_RETRIES = 8;

/** The same for stalls, each of which is half an hour. */
const MAX_STALLS = 2;

/** Pause before a message that met a transient error is delivered again; twice as long each time, up to what SQS allows. */
const FIRST_PAUSE_SECONDS = 30;
const LONGEST_PAUSE_SECONDS = 900;

interface Settled {
  readonly message: Received;
  readonly progress: MessageProgress;
  readonly hold: MessageHold;
}

/** Decides by the error that ended a message what becomes of it. */
export async function settleMessage(
  context: CloudContext,
  settled: Settled,
  failure: Error | null,
): Promise<MessageEnd> {
  const { log, queue } = context;
  const { message, progress } = settled;
  const name = visibleText(progress.job?.jobId ?? message.id);
  const fullStore = isStoreFull(failure) ? explainFault(failure) : null;
  const error = fullStore === null ? failure : new CannotGoOn(fullStore, { cause: failure });
  if (error === null) {
    await queue.delete(message);
    log.info(`${name}: done`);
    return 'done';
  }
  if (error instanceof MessageLost) return lost(context, name, error);
  const refusal = explainRefusal(error);
  if (refusal !== null) {
    await queue.setVisibility(message, 0).catch(() => undefined);
    throw new ConfigurationError(refusal, [refusal], { cause: error });
  }
  // Nobody but the worker with the highest claim decides what becomes of a job.
  if (await isSuperseded(progress)) return lost(context, name, superseded());
  if (error instanceof Poison) return bury(context, settled, error);
  if (error instanceof HandOver) return handOver(context, settled, error);
  if (error instanceof Stalled || isTransient(error)) return retryLater(context, settled, error);
  if (message.receiveCount >= MAX_DELIVERIES)
    return bury(context, settled, new Poison(codeOf(error), error.message, { cause: error }));
  log.error(`${name}: ${error instanceof FramekilnError ? error.message : (error.stack ?? error.message)}`);
  await release(context, settled, error);
  await queue.setVisibility(message, 0);
  return 'put-back';
}

function lost({ log }: CloudContext, name: string, error: MessageLost): MessageEnd {
  log.warn(`${name}: ${error.message}`);
  return 'lost';
}

async function isSuperseded({ state, claim }: MessageProgress): Promise<boolean> {
  return state !== null && claim !== null && (await state.isSuperseded(claim));
}

/** Whether an error ends by itself: a cut network, a store that is overloaded, a full disk, a video that was replaced meanwhile. */
function isTransient(error: Error): boolean {
  if (error instanceof TransientError || error instanceof ConditionFailed || error instanceof CannotGoOn)
    return true;
  const status = statusOf(error);
  if (status !== null && (status >= 500 || status === 429)) return true;
  const codes = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOSPC'];
  // A request that took too long ends as an AbortError.
  const names = ['TimeoutError', 'RequestTimeout', 'AbortError'];
  return codes.includes(codeOf(error)) || names.includes(error.name);
}

/** Hands the job over after a pause, until there have been too many errors without a new checkpoint. */
async function retryLater(context: CloudContext, settled: Settled, error: Error): Promise<MessageEnd> {
  const retries = retriesSoFar(settled);
  if (retries >= (error instanceof Stalled ? MAX_STALLS : MAX_RETRIES)) {
    const reason = `${withoutFullStop(error.message)}; that was attempt ${retries + 1} without a new checkpoint.`;
    return bury(context, settled, new Poison(codeOfAws(error), reason, { cause: error }));
  }
  const delaySeconds = Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** retries);
  return handOver(context, settled, error, { retries: retries + 1, delaySeconds });
}

function retriesSoFar({ message, progress }: Settled): number {
  return progress.hasMoved ? 0 : message.retries;
}

/**
 * Sends a copy of the message and deletes it: a copy has a receive count of its own, and what is no fault of the job is no reason
 * for the dead-letter queue. A crash between the two leaves a duplicate, which does no harm.
 */
async function handOver(
  context: CloudContext,
  settled: Settled,
  reason: Error,
  { retries = retriesSoFar(settled), delaySeconds = 0 } = {},
): Promise<MessageEnd> {
  const { queue, log } = context;
  const { message, progress } = settled;
  await release(context, settled, reason);
  const attributes = retries === 0 ? {} : { [RETRIES_ATTRIBUTE]: String(retries) };
  await queue.send(message.queueUrl, message.body, attributes, delaySeconds);
  await queue.delete(message);
  const when = delaySeconds === 0 ? '' : `, in ${delaySeconds} s`;
  log.info(`${visibleText(progress.job?.jobId ?? message.id)}: handed over${when} (${reason.message})`);
  return 'handed-over';
}

/** Without it, for example because the store is full, the next worker takes a minute to find out that nobody has the job. */
async function release({ log }: CloudContext, { progress, hold }: Settled, reason: Error): Promise<void> {
  const { state, claim } = progress;
  if (state === null || claim === null) return;
  try {
    await state.release(claim, hold.heldMs / 1000, codeOf(reason));
  } catch (error) {
    if (explainRefusal(error) !== null) throw error;
    log.warn(`cannot store that the job was given up (${codeOfAws(error)}: ${toError(error).message})`);
  }
}

/** Tells the backend, sends the message to the dead-letter queue with its reason, deletes the message. */
async function bury(context: CloudContext, settled: Settled, reason: Poison): Promise<MessageEnd> {
  const { queue, log } = context;
  const { message, progress } = settled;
  const { job, stage, framesDone } = progress;
  log.error(
    `${visibleText(job?.jobId ?? message.id)}: failed permanently (${reason.code}): ${reason.message}`,
  );
  // The message may be sent again once the cause is fixed.
  await release(context, settled, reason);
  await tellFailure(context, settled, reason);
  await queue.send(await queue.deadLetterUrl(message.queueUrl), message.body, {
    job_id: job?.jobId ?? '',
    reason_code: reason.code,
    reason_message: visibleText(reason.message).slice(0, 1000),
    stage,
    frames_done: String(framesDone),
  });
  await queue.delete(message);
  return 'dead';
}

/** A message that is refused may be good enough to know whom to tell. */
async function tellFailure(
  { queue, log }: CloudContext,
  { message, progress }: Settled,
  reason: Poison,
): Promise<void> {
  const sender = progress.job ?? senderOf(message.body, message.queueUrl);
  if (sender === null) return;
  try {
    await new JobEvents(queue, sender, log).failed(reason, message.id);
  } catch (error) {
    // The message comes back, and the backend is told then.
    if (isTransient(toError(error))) throw error;
    log.warn(`cannot notify the backend that a job failed: ${toError(error).message}`);
  }
}

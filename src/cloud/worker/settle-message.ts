import { codeOf, ConfigurationError, FramekilnError, toError, TransientError } from '../../domain/errors.ts';
import { visibleText } from '../../lib/visible-text.ts';
import { explainRefusal, statusOf } from '../aws/aws-errors.ts';
import { ConditionFailed } from '../object-store/object-store.ts';
import type { Received } from '../queue/sqs-queue.ts';
import type { CloudContext } from './cloud-context.ts';
import { HandOver, MessageLost, Poison, Stalled } from './ends.ts';
import { JobEvents } from './events.ts';
import type { MessageHold } from './message-hold.ts';
import type { MessageProgress } from './message-progress.ts';

/** What became of a message. */
export type MessageEnd = 'done' | 'dead' | 'handed-over' | 'put-back' | 'lost';

/** Deliveries after which an unforeseen error sends a message to the dead-letter queue, with its reason. */
const MAX_DELIVERIES = 5;

/** Pause before a message that met a transient error is delivered again. */
const TRANSIENT_WAIT_SECONDS = 30;

interface Settled {
  readonly message: Received;
  readonly progress: MessageProgress;
  readonly hold: MessageHold;
}

/** Decides by the error that ended a message what becomes of it. */
export async function settleMessage(
  context: CloudContext,
  settled: Settled,
  error: Error | null,
): Promise<MessageEnd> {
  const { log, queue } = context;
  const { message, progress } = settled;
  const name = visibleText(progress.job?.jobId ?? message.id);
  if (error === null) {
    await queue.delete(message);
    log.info(`${name}: done`);
    return 'done';
  }
  if (error instanceof MessageLost) {
    log.warn(`${name}: ${error.message}`);
    return 'lost';
  }
  if (error instanceof Poison) return bury(context, settled, error);
  if (error instanceof HandOver) return handOver(context, settled, error);
  if (error instanceof Stalled || isTransient(error)) {
    log.warn(`${name}: ${error.message}; the message goes back to its queue`);
    // A copy has a receive count of its own: what is no fault of the job is no reason for the dead-letter queue.
    if (message.receiveCount > 1) return handOver(context, settled, error);
    await release(settled, error);
    await queue.setVisibility(message, TRANSIENT_WAIT_SECONDS);
    return 'put-back';
  }
  const refusal = explainRefusal(error);
  if (refusal !== null) {
    await queue.setVisibility(message, 0).catch(() => undefined);
    throw new ConfigurationError(refusal, [refusal], { cause: error });
  }
  if (message.receiveCount >= MAX_DELIVERIES)
    return bury(context, settled, new Poison(codeOf(error), error.message, { cause: error }));
  log.error(`${name}: ${error instanceof FramekilnError ? error.message : (error.stack ?? error.message)}`);
  await release(settled, error);
  await queue.setVisibility(message, 0);
  return 'put-back';
}

/** Whether an error ends by itself: a cut network, a store that is overloaded, a full disk, a video that was replaced meanwhile. */
function isTransient(error: Error): boolean {
  if (error instanceof TransientError || error instanceof ConditionFailed) return true;
  const status = statusOf(error);
  if (status !== null && (status >= 500 || status === 429)) return true;
  const codes = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOSPC'];
  return codes.includes(codeOf(error)) || error.name === 'TimeoutError' || error.name === 'RequestTimeout';
}

/** Sends a copy of the message and deletes it. A crash between the two leaves a duplicate, which does no harm. */
async function handOver(context: CloudContext, settled: Settled, reason: Error): Promise<MessageEnd> {
  const { message, progress } = settled;
  await release(settled, reason);
  await context.queue.send(message.queueUrl, message.body);
  await context.queue.delete(message);
  context.log.info(`${progress.job?.jobId ?? message.id}: handed over (${reason.message})`);
  return 'handed-over';
}

async function release({ progress, hold }: Settled, reason: Error): Promise<void> {
  if (progress.state !== null && progress.claim !== null)
    await progress.state.release(progress.claim, hold.heldMs / 1000, codeOf(reason));
}

/** Sends the message to the dead-letter queue with its reason, tells the backend, deletes the message. */
async function bury(context: CloudContext, settled: Settled, reason: Poison): Promise<MessageEnd> {
  const { queue, log } = context;
  const { message, progress } = settled;
  const { job, stage, framesDone } = progress;
  log.error(
    `${visibleText(job?.jobId ?? message.id)}: failed permanently (${reason.code}): ${reason.message}`,
  );
  await queue.send(await queue.deadLetterUrl(message.queueUrl), message.body, {
    job_id: job?.jobId ?? '',
    reason_code: reason.code,
    reason_message: visibleText(reason.message).slice(0, 1000),
    stage,
    frames_done: String(framesDone),
  });
  if (job !== null) {
    try {
      await new JobEvents(queue, job, log).failed(reason);
    } catch (error) {
      log.warn(`cannot notify the backend that a job failed: ${toError(error).message}`);
    }
  }
  await queue.delete(message);
  return 'dead';
}

import { ConditionFailed } from '../object-store/object-store.ts';
import type { CloudJob } from '../queue/job-message.ts';
import type { Received } from '../queue/sqs-queue.ts';
import { setJobDelivered } from '../state/delivered-jobs.ts';
import type { JobState, StoredResult } from '../state/job-state.ts';
import type { CloudContext } from './cloud-context.ts';
import { superseded } from './ends.ts';
import type { JobEvents } from './events.ts';
import type { MessageHold } from './message-hold.ts';
import { atPlaceOfMessage } from './place-of-message.ts';
import { tellResult } from './tell-result.ts';

/** Attempts to copy the output while others write to its key. */
const COPY_ATTEMPTS = 3;

export interface Delivery {
  readonly message: Received;
  readonly job: CloudJob;
  readonly state: JobState;
  readonly events: JobEvents;
  /** Claim of this worker. Only the highest one delivers, whoever stored the result. */
  readonly claim: number;
  readonly hold: Pick<MessageHold, 'signal' | 'transfer'>;
}

/**
 * Gives the output its wished key and tells the backend. May be repeated after a crash.
 *
 * @throws MessageLost if another worker has claimed the job
 * @throws Poison OUTPUT_NOT_WRITABLE or RESULT_QUEUE_NOT_WRITABLE
 */
export async function deliver(
  context: CloudContext,
  delivery: Delivery,
  result: StoredResult,
): Promise<void> {
  const { job, state, message } = delivery;
  const output = {
    code: 'OUTPUT_NOT_WRITABLE',
    what: `${job.output.key} in the bucket ${job.output.bucket} cannot be written`,
  };
  await atPlaceOfMessage(context, output, () => copyOutput(context, delivery, result.outputKey));
  // First, because the backend may delete the video as soon as it is told.
  await setJobDelivered(context.bucket(context.rules.bucket), job, state);
  await assertHeld(delivery);
  await tellResult(context, delivery, result);
  await state.setDelivered(message.id);
}

/** Replaces only the object that was under the wished key when this worker was known to have the job. */
async function copyOutput(context: CloudContext, delivery: Delivery, outputKey: string): Promise<void> {
  const { job, hold } = delivery;
  for (let attempt = 1; ; attempt++) {
    const before = await context.bucket(job.output.bucket).head(job.output.key);
    await assertHeld(delivery);
    const condition = before === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: before.etag };
    try {
      const checkpoints = context.bucket(context.rules.bucket);
      await checkpoints.copyTo(outputKey, job.output, { condition, ...hold.transfer });
      return;
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === COPY_ATTEMPTS) throw error;
    }
  }
}

async function assertHeld({ state, claim, hold }: Delivery): Promise<void> {
  hold.signal.throwIfAborted();
  if (await state.isSuperseded(claim)) throw superseded();
}

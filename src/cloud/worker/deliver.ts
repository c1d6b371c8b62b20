import { ConditionFailed } from '../object-store/object-store.ts';
import type { CloudJob } from '../queue/job-message.ts';
import type { JobState, StoredResult } from '../state/job-state.ts';
import type { CloudContext } from './cloud-context.ts';
import { superseded } from './ends.ts';
import type { JobEvents } from './events.ts';
import { atPlaceOfMessage } from './place-of-message.ts';

/** Attempts to copy the output while others write to its key. */
const COPY_ATTEMPTS = 3;

export interface Delivery {
  readonly job: CloudJob;
  readonly state: JobState;
  readonly events: JobEvents;
  /** Claim of this worker. Only the highest one delivers, whoever stored the result. */
  readonly claim: number;
  readonly signal: AbortSignal;
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
  const { job, state, events } = delivery;
  const output = {
    code: 'OUTPUT_NOT_WRITABLE',
    what: `${job.output.key} in the bucket ${job.output.bucket} cannot be written`,
  };
  await atPlaceOfMessage(context, output, () => copyOutput(context, delivery, result.outputKey));
  await assertHeld(delivery);
  const queue = {
    code: 'RESULT_QUEUE_NOT_WRITABLE',
    what: `The result cannot be sent to ${job.resultQueueUrl}`,
  };
  // The names of machines and of keys in the state are no business of the backend.
  const event = { ...result, worker: undefined, outputKey: undefined };
  await atPlaceOfMessage(context, queue, () => events.completed(event));
  await state.setDelivered();
}

/** Replaces only the object that was under the wished key when this worker was known to have the job. */
async function copyOutput(context: CloudContext, delivery: Delivery, outputKey: string): Promise<void> {
  const { job, signal } = delivery;
  for (let attempt = 1; ; attempt++) {
    const before = await context.bucket(job.output.bucket).head(job.output.key);
    await assertHeld(delivery);
    const condition = before === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: before.etag };
    try {
      const checkpoints = context.bucket(context.rules.bucket);
      await checkpoints.copyTo(outputKey, job.output, { condition, signal });
      return;
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === COPY_ATTEMPTS) throw error;
    }
  }
}

async function assertHeld({ state, claim, signal }: Delivery): Promise<void> {
  signal.throwIfAborted();
  if (await state.isSuperseded(claim)) throw superseded();
}

import type { CloudJob } from '../queue/job-message.ts';
import type { JobState, StoredResult } from '../state/job-state.ts';
import type { CloudContext } from './cloud-context.ts';
import type { JobEvents } from './events.ts';
import { atPlaceOfMessage } from './place-of-message.ts';

/** Tells the backend that a job is done. @throws Poison RESULT_QUEUE_NOT_WRITABLE */
export async function tellResult(
  context: CloudContext,
  { job, state, events }: { job: CloudJob; state: JobState; events: JobEvents },
  result: StoredResult,
): Promise<void> {
  const queue = {
    code: 'RESULT_QUEUE_NOT_WRITABLE',
    what: `The result cannot be sent to ${job.resultQueueUrl}`,
  };
  // The names of machines and of keys in the state are no business of the backend.
  const event = { ...result, worker: undefined, outputKey: undefined };
  await atPlaceOfMessage(context, queue, () => events.completed(event, state.prefix));
}

import type { CloudJob } from '../queue/job-message.ts';
import type { Received } from '../queue/sqs-queue.ts';
import { deliveredJob } from '../state/delivered-jobs.ts';
import type { JobState } from '../state/job-state.ts';
import type { CloudContext } from './cloud-context.ts';
import { JobEvents } from './events.ts';
import { tellResult } from './tell-result.ts';

/**
 * Answers a message whose job was delivered before. The stored result is told again, under the same ID, unless it was told for
 * this very message, which came back because its worker was killed before it could delete it.
 *
 * @returns whether the job was delivered before
 */
export async function answerAgain(
  context: CloudContext,
  message: Received,
  job: CloudJob,
  state: JobState,
): Promise<boolean> {
  return (await state.answeredMessage()) !== null && (await answer(context, message, job, state));
}

/** The same for a message whose video is gone. Its worker may have been killed, or have failed, before it recorded the answer. */
export async function answerWithoutVideo(
  context: CloudContext,
  message: Received,
  job: CloudJob,
): Promise<boolean> {
  const state = await deliveredJob(context.bucket(context.rules.bucket), job);
  return state !== null && (await answer(context, message, job, state));
}

/** @returns false if there is no result to tell */
async function answer(
  context: CloudContext,
  message: Received,
  job: CloudJob,
  state: JobState,
): Promise<boolean> {
  const result = await state.result();
  if (result === null) return false;
  if ((await state.answeredMessage()) === message.id) return true;
  await tellResult(context, { job, state, events: new JobEvents(context.queue, job, context.log) }, result);
  await state.setDelivered(message.id);
  return true;
}

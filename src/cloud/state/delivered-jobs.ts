import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ObjectStore } from '../object-store/object-store.ts';
import { STATE_PREFIX, type CloudJob } from '../queue/job-message.ts';
import { JobState } from './job-state.ts';

const Delivered = z.object({ prefix: z.string().startsWith(STATE_PREFIX) });

/**
 * Remembers that a job was delivered, by its ID and places alone. SQS may deliver a message twice, and a backend may delete the
 * video once the job is done: then the state of the job, whose key contains the content of the video, cannot be found.
 */
export async function setJobDelivered(store: ObjectStore, job: CloudJob, state: JobState): Promise<void> {
  await store.put(keyOf(job), JSON.stringify({ prefix: state.prefix }));
}

/** State of a job that was delivered; null if it was not. */
export async function deliveredJob(store: ObjectStore, job: CloudJob): Promise<JobState | null> {
  const found = await store.get(keyOf(job));
  const delivered = found === undefined ? null : Delivered.safeParse(JSON.parse(found.body.toString())).data;
  return delivered ? new JobState(store, delivered.prefix) : null;
}

function keyOf({ jobId, input, output }: CloudJob): string {
  const identity = JSON.stringify([jobId, input, output]);
  return `${STATE_PREFIX}delivered/${createHash('sha256').update(identity).digest('hex')}.json`;
}

import { createHash } from 'node:crypto';
import type { ObjectStore } from '../object-store/object-store.ts';
import { STATE_PREFIX, type CloudJob } from '../queue/job-message.ts';

/**
 * Remembers that a job was delivered, by its ID and output alone. SQS may deliver a message twice, and a backend may delete the
 * video once the job is done: then the state of the job, whose key contains the content of the video, cannot be found.
 */
export async function setJobDelivered(store: ObjectStore, job: CloudJob): Promise<void> {
  await store.put(keyOf(job), '{}');
}

export async function isJobDelivered(store: ObjectStore, job: CloudJob): Promise<boolean> {
  return (await store.head(keyOf(job))) !== undefined;
}

function keyOf({ jobId, output }: CloudJob): string {
  const identity = JSON.stringify([jobId, output]);
  return `${STATE_PREFIX}delivered/${createHash('sha256').update(identity).digest('hex')}.json`;
}

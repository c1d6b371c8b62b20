import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CommittedBatch, JobPlan } from '../../../src/domain/job.ts';
import type { NewJob } from '../../../src/queue/new-job.ts';
import { openQueue, type Queue } from '../../../src/queue/queue.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

export const LEASE_MS = 30_000;
export const ALICE = '101:1:aa';
export const BOB = '102:2:aa';

/** As a worker has counted it. */
export const VIDEO = { width: 64, height: 48, bitsPerComponent: 8, frames: 100, bytes: 10_000 };

export const PLAN: JobPlan = {
  codec: 'h264',
  encoder: { crf: 18, preset: 'medium', threads: 2 },
  tile: 128,
  modelSha256: null,
  firstBatchFrames: 30,
  batchFrames: 60,
};

/** A queue on a real database of the running test. */
export function testQueue(path = join(temporaryFolder(), 'queue.db')): Queue {
  const queue = openQueue(path);
  onTestFinished(() => queue.close());
  return queue;
}

let uniqueNumber = 0;

/** A job to enqueue: another content each time, unless `changes` say otherwise. */
export function newJob(changes: Partial<NewJob> = {}): NewJob {
  uniqueNumber += 1;
  return {
    origin: 'watch',
    sourcePath: `/nowhere/input/${uniqueNumber}.mp4`,
    outputPath: `/nowhere/output/${uniqueNumber}.mp4`,
    fingerprint: uniqueNumber.toString(16).padStart(64, '0'),
    recipe: { pipeline: 'upscale', model: 'lanczos', scale: 2, device: 'auto', tile: 'auto' },
    priority: 0,
    nowMs: 1_000,
    ...changes,
  };
}

export function newBatch(number: number, frameCount = 30): Omit<CommittedBatch, 'committedAtMs'> {
  return {
    number,
    firstFrame: number * frameCount,
    frameCount,
    segmentName: `b${number}.mkv`,
    segmentBytes: 1234,
    segmentSha256: 'ab'.repeat(32),
    encoder: 'libx264',
    elapsedMs: 12.5,
    analysisMs: null,
    framesReused: null,
  };
}

/** Enqueues one job and claims it. */
export function claimedJob(queue: Queue, owner = ALICE, nowMs = 2_000) {
  queue.jobs.enqueue(newJob());
  const claimed = queue.leases.claim({ owner, nowMs, leaseMs: LEASE_MS });
  if (claimed === null) throw new Error('The job that was just enqueued cannot be claimed.');
  return claimed;
}

import { DEFAULT_RECIPE } from '../../../src/config/recipe-presets.ts';
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import type { NewJob } from '../../../src/queue/new-job.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { ALICE, LEASE_MS, claimedJob, newJob, testQueue } from './queue-fixture.ts';

test('adding one file a thousand times creates one job', () => {
  const queue = testQueue();
  const request = newJob();
  const created = Array.from({ length: 1_000 }, () => queue.jobs.enqueue(request)).filter((e) => e.created);
  expect(created).toHaveLength(1);
  expect(queue.jobs.listJobs()).toEqual([created[0]?.job]);
});

test('another recipe for the same content is another job', () => {
  const queue = testQueue();
  const request = newJob();
  queue.jobs.enqueue(request);
  expect(queue.jobs.enqueue({ ...request, recipe: { ...DEFAULT_RECIPE, scale: 4 } }).created).toBe(true);
});

test('`run` creates a separate job for each output, and finds it again', () => {
  const queue = testQueue();
  const watched = newJob();
  queue.jobs.enqueue(watched);
  const run = { ...watched, origin: 'run' as const, outputPath: '/elsewhere/1.mp4' };
  expect(queue.jobs.enqueue(run).created).toBe(true);
  expect(queue.jobs.enqueue(run).created).toBe(false);
  expect(queue.jobs.enqueue({ ...run, outputPath: '/third/1.mp4' }).created).toBe(true);
});

test('a renamed file keeps its job, and the output takes the new name', () => {
  const queue = testQueue();
  const folder = temporaryFolder();
  const [before, after] = [join(folder, 'before.mp4'), join(folder, 'after.mp4')];
  writeFileSync(before, 'x');
  const request = newJob({ sourcePath: before });
  const { job } = queue.jobs.enqueue(request);

  const copy = queue.jobs.enqueue({ ...request, sourcePath: after, outputPath: '/out/after.mp4' });
  expect(copy.job).toEqual(job);

  rmSync(before);
  const renamed = queue.jobs.enqueue({ ...request, sourcePath: after, outputPath: '/out/after.mp4' });
  expect(renamed.created).toBe(false);
  expect(renamed.job).toMatchObject({ id: job.id, sourcePath: after, outputPath: '/out/after.mp4' });
});

test('renaming a file while its job runs does not change the output path', () => {
  const queue = testQueue();
  const { job } = claimedJob(queue);
  const request = newJob({ fingerprint: job.fingerprint, sourcePath: '/new/name.mp4' });
  expect(queue.jobs.enqueue(request).job).toMatchObject({
    state: 'running',
    sourcePath: '/new/name.mp4',
    outputPath: job.outputPath,
  });
});

test.each([
  ['SOURCE_MISSING', 'queued'],
  ['SOURCE_CHANGED', 'queued'],
  ['NOT_A_VIDEO', 'failed'],
])('a job that failed with %s is %s when its content appears again', (code, state) => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  queue.leases.fail(lease, { code, message: 'why', nowMs: 3_000 });
  const again = queue.jobs.enqueue(newJob({ fingerprint: job.fingerprint }));
  expect(again.created).toBe(false);
  expect(again.job.state).toBe(state);
});

test('lists and counts by state', () => {
  const queue = testQueue();
  const first = queue.jobs.enqueue(newJob()).job;
  const urgent = queue.jobs.enqueue(newJob({ priority: 5 })).job;
  const running = queue.leases.claim({ owner: ALICE, nowMs: 1, leaseMs: LEASE_MS })?.job;
  expect(running?.id).toBe(urgent.id);
  expect(queue.jobs.listJobs({ state: 'queued' })).toEqual([first]);
  expect(queue.jobs.listJobs().map((job) => job.id)).toEqual([first.id, urgent.id]);
  expect(queue.jobs.countByState()).toEqual({
    queued: 1,
    running: 1,
    paused: 0,
    done: 0,
    failed: 0,
    cancelled: 0,
  });
  expect(queue.jobs.getJob(999)).toBeNull();
});

test('two videos that would have the same output name get different ones', () => {
  const queue = testQueue();
  const folder = temporaryFolder();
  const nameOf = (changes: Partial<NewJob>) =>
    basename(queue.jobs.enqueue(newJob({ outputPath: join(folder, 'clip.mp4'), ...changes })).job.outputPath);

  expect(nameOf({ sourcePath: '/a/clip.mp4', fingerprint: 'aa' })).toBe('clip.mp4');
  expect(nameOf({ sourcePath: '/b/clip.mp4' })).toBe('clip (2).mp4');
  expect(nameOf({ sourcePath: '/in/clip.mp4', origin: 'add' })).toBe('clip (3).mp4');
  // The same file with another recipe.
  const recipe = { ...DEFAULT_RECIPE, scale: 4 };
  expect(nameOf({ sourcePath: '/a/clip.mp4', fingerprint: 'aa', recipe })).toBe('clip (4).mp4');
});

test('a queued job does not hold its name once its source has been replaced by another video', () => {
  const queue = testQueue();
  const request = { sourcePath: '/in/clip.mp4', outputPath: join(temporaryFolder(), 'clip.mp4') };
  queue.jobs.enqueue(newJob(request));
  expect(queue.jobs.enqueue(newJob(request)).job.outputPath).toBe(request.outputPath);
});

test('a finished job holds its name while its output exists, also from a new video at the same path', () => {
  const queue = testQueue();
  const outputPath = join(temporaryFolder(), 'clip.mp4');
  const request = { sourcePath: '/in/clip.mp4', outputPath };
  const { job } = queue.jobs.enqueue(newJob(request));
  const claimed = queue.leases.claim({ owner: ALICE, nowMs: 2_000, leaseMs: LEASE_MS });
  if (claimed !== null) queue.leases.finish(claimed.lease, 1);
  expect(queue.jobs.getJob(job.id)?.state).toBe('done');
  writeFileSync(outputPath, 'finished video');
  expect(basename(queue.jobs.enqueue(newJob(request)).job.outputPath)).toBe('clip (2).mp4');
  expect(queue.control.retryJob(job.id)).toBe(true);
  queue.control.cancelJob(job.id, 1);
  expect(basename(queue.jobs.enqueue(newJob({ outputPath })).job.outputPath)).toBe('clip (3).mp4');
});

test('a name is free again when its job was cancelled or its output is gone', () => {
  const queue = testQueue();
  const outputPath = join(temporaryFolder(), 'clip.mp4');
  const cancelled = queue.jobs.enqueue(newJob({ outputPath })).job;
  queue.control.cancelJob(cancelled.id, 1);
  expect(queue.jobs.enqueue(newJob({ outputPath })).job.outputPath).toBe(outputPath);
  const claimed = queue.leases.claim({ owner: ALICE, nowMs: 2, leaseMs: LEASE_MS });
  writeFileSync(outputPath, 'x');
  if (claimed !== null) queue.leases.finish(claimed.lease, 3);
  expect(queue.jobs.enqueue(newJob({ outputPath })).job.outputPath).not.toBe(outputPath);
  rmSync(outputPath);
  expect(queue.jobs.enqueue(newJob({ outputPath })).job.outputPath).toBe(outputPath);
});

test('a file that is moved to another folder and added again from there keeps its output name', () => {
  const queue = testQueue();
  const request = newJob({ origin: 'add', sourcePath: '/a/clip.mp4', outputPath: '/out/clip.mp4' });
  const { job } = queue.jobs.enqueue(request);
  const moved = queue.jobs.enqueue({ ...request, sourcePath: '/b/clip.mp4' });
  expect(moved).toMatchObject({
    created: false,
    job: { id: job.id, sourcePath: '/b/clip.mp4', outputPath: '/out/clip.mp4' },
  });
});

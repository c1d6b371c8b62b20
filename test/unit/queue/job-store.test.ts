import { DEFAULT_RECIPE } from '../../../src/config/recipe-presets.ts';
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
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
  const enqueue = (
    sourcePath: string,
    name: string,
    recipe = DEFAULT_RECIPE,
    origin: 'add' | 'watch' = 'add',
  ) => queue.jobs.enqueue(newJob({ sourcePath, outputPath: join(folder, name), recipe, origin })).job;
  const nameOf = (...request: Parameters<typeof enqueue>) => basename(enqueue(...request).outputPath);
  const larger = { ...DEFAULT_RECIPE, scale: 4 };

  expect(nameOf('/a/clip.mp4', 'clip.mp4')).toBe('clip.mp4');
  expect(nameOf('/b/clip.mp4', 'clip.mp4')).toBe('clip (2).mp4');
  expect(nameOf('/in/clip.mp4', 'clip.mp4', DEFAULT_RECIPE, 'watch')).toBe('clip (3).mp4');
  // Different content at the same path: the file was changed, and its new output replaces the old one.
  expect(nameOf('/in/clip.mp4', 'clip (3).mp4', larger, 'watch')).toBe('clip (3).mp4');
  expect(nameOf('/a/clip.mp4', 'clip.mp4')).toBe('clip.mp4');
  // The same file with two recipes has two outputs.
  expect(nameOf('/a/clip.mp4', 'clip.mp4', larger)).toBe('clip (4).mp4');
  // The output of an AVI may be named clip.avi.mkv, which may also be the output name of another source.
  expect(nameOf('/a/film.avi', 'film.avi')).toBe('film.avi');
  expect(nameOf('/a/film.avi.mkv', 'film.avi.mkv')).toBe('film.avi (2).mkv');
  expect(nameOf('/a/song.avi.mkv', 'song.avi.mkv')).toBe('song.avi.mkv');
  expect(nameOf('/a/song.avi', 'song.avi')).toBe('song (2).avi');
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

import { expect, test } from 'vitest';
import { queuedMessage, skippedMessage } from '../../../src/intake/enqueued-message.ts';
import { newJob, testQueue } from '../queue/queue-fixture.ts';

const enqueued = () =>
  testQueue().jobs.enqueue(newJob({ sourcePath: '/in/sub/a.mp4', outputPath: '/out/sub/a.mp4' })).job;

test('a queued file is logged with its recipe and estimate, and with its output if that was renamed', () => {
  const job = enqueued();
  const estimate = 'about a minute';
  expect(queuedMessage('sub/a.mp4', { job, outputPath: '/out/sub/a.mp4', estimate })).toBe(
    'sub/a.mp4 queued as job 1: lanczos, scale 2 (about a minute)',
  );
  const renamed = { ...job, outputPath: '/out/sub/a-2.mp4' };
  expect(queuedMessage('sub/a.mp4', { job: renamed, outputPath: '/out/sub/a.mp4', estimate })).toBe(
    'sub/a.mp4 queued as job 1: lanczos, scale 2 (about a minute); the output will be named a-2.mp4, because a.mp4 is taken',
  );
});

test('a skipped file is logged with its job, and with the command that processes it again', () => {
  const job = enqueued();
  expect(skippedMessage('/in/b.mp4', job, '/in')).toBe('b.mp4 skipped: same content as job 1 (queued)');
  expect(skippedMessage('/in/b.mp4', { ...job, state: 'done' }, '/in')).toBe(
    'b.mp4 skipped: same content as job 1 (sub/a.mp4, done); to process it again: framekiln retry 1',
  );
  expect(skippedMessage('/in/sub/a.mp4', { ...job, state: 'failed' }, '/in')).toBe(
    'sub/a.mp4 skipped: same content as job 1 (failed); to process it again: framekiln retry 1',
  );
  // `retry` rejects a paused job.
  expect(skippedMessage('/in/b.mp4', { ...job, state: 'paused' }, '/in')).toBe(
    'b.mp4 skipped: same content as job 1 (sub/a.mp4, paused); to process it: framekiln resume 1',
  );
});

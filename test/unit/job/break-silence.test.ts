import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { breakSilence } from '../../../src/job/break-silence.ts';
import { PLAN } from '../queue/queue-fixture.ts';
import { jobAtWork } from './job-fixture.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date', 'setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

const MINUTE = 60_000;

test('a job that says nothing gets a line at least every five minutes, with its stage or its frames', async () => {
  const { context, lines, queue, lease } = await jobAtWork();
  await breakSilence(context, () => {
    queue.progress.setStage(lease, 'index');
    vi.advanceTimersByTime(5 * MINUTE);
    expect(lines).toEqual(['still decoding the source to index its frames']);
    queue.progress.setStage(lease, 'frames');
    queue.progress.setPlan(lease, PLAN, 1000);
    queue.progress.setProgress(lease, {
      ...{ framesDone: 30, framesPerSecond: 0.005 },
      etaAtMs: Date.now() + 60 * MINUTE,
    });
    vi.advanceTimersByTime(15 * MINUTE);
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^3 % · 30 of 1000 frames · 0\.01 fps · 55 min \d\d s left$/);
    queue.progress.setStage(lease, 'analysis');
    vi.advanceTimersByTime(5 * MINUTE);
    expect(lines[4]).toMatch(/^analysing · 3 % · 30 of 1000 frames · 0\.01 fps · /);
    return Promise.resolve();
  });
  vi.advanceTimersByTime(60 * MINUTE);
  expect(lines).toHaveLength(5);
});

test('a job that logs its progress itself gets no further lines', async () => {
  const { context, lines } = await jobAtWork();
  await breakSilence(context, ({ log }) => {
    for (let minute = 0; minute < 20; minute += 4) {
      log.info(`minute ${minute}`);
      vi.advanceTimersByTime(4 * MINUTE);
    }
    return Promise.resolve();
  });
  expect(lines).toHaveLength(5);
});

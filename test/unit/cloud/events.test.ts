import { expect, test } from 'vitest';
import { JobEvents } from '../../../src/cloud/worker/events.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';

const JOB = {
  ...{ jobId: 'job-1', tier: 'basic', device: 'cpu' as const, scale: 2 as const },
  input: { bucket: 'b', key: 'in.mp4' },
  output: { bucket: 'b', key: 'out.mp4' },
  resultQueueUrl: 'https://sqs/1/results',
};

test('progress that cannot be sent yet delays nothing, and the end of the job comes after it', async () => {
  const sent: string[] = [];
  let finish = (): void => undefined;
  const isFinished = new Promise<void>((resolve) => (finish = resolve));
  const send = async (_: string, body: string): Promise<void> => {
    const { type, percent } = JSON.parse(body) as { type: string; percent?: number };
    if (percent === 10) await isFinished;
    sent.push([type, percent].join(' ').trim());
  };
  const events = new JobEvents({ send }, JOB, silentLogger);
  events.progress(10, 100);
  events.progress(20, 100);
  const end = events.completed({}, 'state/x/');
  expect(sent).toEqual([]);
  finish();
  await end;
  expect(sent).toEqual(['progress 10', 'completed']);
});

test('progress is told in steps of 5 percent, those of an earlier worker not again', async () => {
  const percents: unknown[] = [];
  const send = (_: string, body: string): Promise<void> => {
    percents.push((JSON.parse(body) as { percent: number }).percent);
    return Promise.resolve();
  };
  const events = new JobEvents({ send }, JOB, silentLogger);
  events.startAt(32, 100);
  for (const frames of [33, 34, 35, 36, 47, 100]) {
    events.progress(frames, 100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(percents).toEqual([35, 45]);
});

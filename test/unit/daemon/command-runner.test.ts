import { expect, test } from 'vitest';
import { CommandRunner } from '../../../src/daemon/command-runner.ts';
import { createForwardingLogger } from '../../../src/observability/forwarding-logger.ts';
import { newJob, testQueue } from '../queue/queue-fixture.ts';

function setUp() {
  const queue = testQueue();
  const lines: string[] = [];
  const added: unknown[] = [];
  let finishAdding: () => void = () => undefined;
  const runner = new CommandRunner({
    queue,
    log: createForwardingLogger(({ message }) => lines.push(message)),
    dropJob: () => undefined,
    removeFiles: () => Promise.resolve(),
    removeFrames: () => Promise.resolve(),
    add: async (argument) => {
      added.push(argument);
      await new Promise<void>((resolve) => (finishAdding = resolve));
      return 'added';
    },
  });
  return { queue, lines, added, runner, finish: () => finishAdding() };
}

test('runs one round at a time, and reports while a file is being added', async () => {
  const { queue, runner, added, lines, finish } = setUp();
  queue.commands.insertCommand({ kind: 'add', jobId: null, argument: 'a.mp4', nowMs: 0 });
  runner.runWaiting();
  expect(runner.isAdding).toBe(true);
  runner.runWaiting();
  finish();
  await runner.settled();
  expect(runner.isAdding).toBe(false);
  expect(added).toEqual(['a.mp4']);
  expect(lines).toEqual(['command add: added']);
});

test('keeps the error of a round that failed as a whole', async () => {
  const { queue, runner, lines } = setUp();
  queue.close();
  runner.runWaiting();
  await runner.settled();
  expect(runner.failure).toBeInstanceOf(TypeError);
  expect(lines).toEqual([expect.stringMatching(/^cannot execute a command: /)]);
});

test.each(['retry', 'resume'] as const)(
  'a job of framekiln run cannot be queued with %s, because no daemon would claim it',
  async (kind) => {
    const { queue, runner, lines } = setUp();
    const { job } = queue.jobs.enqueue(newJob({ origin: 'run' }));
    if (kind === 'retry') queue.control.cancelJob(job.id, 0);
    else queue.control.pauseJob(job.id);
    const before = queue.jobs.getJob(job.id)?.state;
    queue.commands.insertCommand({ kind, jobId: job.id, argument: null, nowMs: 0 });
    runner.runWaiting();
    await runner.settled();
    expect(queue.jobs.getJob(job.id)?.state).toBe(before);
    expect(lines).toEqual([expect.stringMatching(/was started by framekiln run; run that command again/)]);
  },
);

test('a pause and a resume mention only jobs and checkpoints that exist', async () => {
  const { queue, runner, lines } = setUp();
  const { job } = queue.jobs.enqueue(newJob());
  queue.control.pauseJob(job.id);
  queue.commands.insertCommand({ kind: 'pause', jobId: null, argument: null, nowMs: 0 });
  queue.commands.insertCommand({ kind: 'resume', jobId: job.id, argument: null, nowMs: 0 });
  runner.runWaiting();
  await runner.settled();
  expect(lines).toEqual([
    'command pause: Queue paused',
    expect.stringMatching(/^command resume 1: Job 1 \(.*\) queued$/),
  ]);
});

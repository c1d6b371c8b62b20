import { describe, expect, test } from 'vitest';
import { CommandRunner } from '../../../src/daemon/command-runner.ts';
import { createForwardingLogger } from '../../../src/observability/forwarding-logger.ts';
import type { Queue } from '../../../src/queue/queue.ts';
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

describe('a change of several jobs', () => {
  const states = (queue: Queue) => queue.jobs.listJobs().map(({ state }) => state);

  test('is one command with one sentence, and goes on where a job cannot be changed', async () => {
    const { queue, runner, lines } = setUp();
    const ids = [1, 2, 3].map(() => queue.jobs.enqueue(newJob()).job.id);
    const send = async (group: unknown) => {
      queue.commands.insertCommand({ kind: 'group', jobId: null, argument: group, nowMs: 0 });
      runner.runWaiting();
      await runner.settled();
      return lines.pop();
    };
    expect(await send({ kind: 'pause', ids: ids.slice(1) })).toBe(
      'command group: 2 jobs paused; checkpoints are kept',
    );
    expect(states(queue)).toEqual(['queued', 'paused', 'paused']);
    expect(await send({ kind: 'pause', ids: [...ids, 99] })).toMatch(
      /^command group: 1 of 4 jobs paused; checkpoints are kept\. Cannot pause job 2 \(.*\): it is paused\. The other 2 could not/,
    );
    expect(await send({ kind: 'prioritise', ids, priority: 5 })).toBe(
      'command group: 3 jobs set to priority 5',
    );
    expect(queue.jobs.listJobs().map(({ priority }) => priority)).toEqual([5, 5, 5]);
    expect(await send({ kind: 'resume', ids: [1] })).toMatch(/^command group: Job 1 \(.*\) queued$/);
    expect(await send({ kind: 'resume', ids: [1] })).toMatch(/Cannot resume job 1 \(.*\): it is queued$/);
    expect(await send({ kind: 'cancel', ids })).toBe('command group: 3 jobs cancelled');
    expect(await send({ kind: 'retry', ids })).toBe('command group: 3 jobs queued again');
    expect(await send({ kind: 'retry', ids: [] })).toContain('ids');
    expect(states(queue)).toEqual(['queued', 'queued', 'queued']);
  });

  test('lets other work of the daemon come in between', async () => {
    const { queue, runner } = setUp();
    const ids = Array.from({ length: 200 }, () => queue.jobs.enqueue(newJob()).job.id);
    queue.commands.insertCommand({
      ...{ kind: 'group', jobId: null, nowMs: 0 },
      argument: { kind: 'prioritise', ids, priority: 1 },
    });
    let [turns, isOver] = [0, false];
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    runner.runWaiting();
    await runner.settled();
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});

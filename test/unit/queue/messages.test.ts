import { expect, test } from 'vitest';
import type { SeenFile } from '../../../src/domain/seen-file.ts';
import { newJob, testQueue } from './queue-fixture.ts';

test('commands are handled once, in order, and their outcome can be queried', () => {
  const { commands } = testQueue();
  const pause = commands.insertCommand({ kind: 'pause', jobId: null, argument: null, nowMs: 1 });
  const add = commands.insertCommand({ kind: 'add', jobId: null, argument: { path: '/a.mp4' }, nowMs: 2 });
  expect(commands.nextCommands()).toEqual([
    { id: pause, kind: 'pause', jobId: null, argument: null, createdAtMs: 1 },
    { id: add, kind: 'add', jobId: null, argument: { path: '/a.mp4' }, createdAtMs: 2 },
  ]);
  expect(commands.getOutcome(pause)).toBeNull();
  commands.markHandled(pause, { succeeded: false, result: 'It is paused already.' }, 3);
  expect(commands.getOutcome(pause)).toEqual({ succeeded: false, result: 'It is paused already.' });
  expect(commands.nextCommands().map((command) => command.id)).toEqual([add]);
});

test('events are listed newest first, up to the limit', () => {
  const { jobs, events } = testQueue();
  const { job } = jobs.enqueue(newJob());
  for (const atMs of [1, 2, 3]) events.addEvent(job.id, { atMs, kind: 'resumed', message: `at ${atMs}` });
  expect(events.listEvents(job.id, 2).map((event) => event.atMs)).toEqual([3, 2]);
});

test('the database rejects an event of a job that does not exist', () => {
  const { events } = testQueue();
  expect(() => events.addEvent(7, { atMs: 1, kind: 'x', message: 'y' })).toThrow('FOREIGN KEY');
});

test('seen files are replaced by path and removed', () => {
  const { seenFiles } = testQueue();
  const file: SeenFile = {
    path: '/in/a.mp4',
    signature: '1',
    takenSignature: null,
    state: 'settling',
    sinceAtMs: 5,
    code: null,
    message: null,
  };
  const rejected: SeenFile = {
    ...file,
    path: '/in/b.mp4',
    state: 'rejected',
    code: 'NOT_A_VIDEO',
    message: 'not a video',
  };
  seenFiles.putAll([file, rejected]);
  seenFiles.putAll([{ ...file, state: 'taken' }]);
  expect(seenFiles.list()).toEqual([{ ...file, state: 'taken' }, rejected]);
  seenFiles.removeAll([file.path, '/in/never.mp4']);
  expect(seenFiles.list()).toEqual([rejected]);
});

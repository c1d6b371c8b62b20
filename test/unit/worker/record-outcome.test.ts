import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import {
  EngineError,
  InputRejectedError,
  InternalError,
  LeaseLostError,
  MaybeIncompleteError,
  ModelError,
  SharedThreadError,
  StoppedError,
  TransientError,
  WorkerMemoryError,
} from '../../../src/domain/errors.ts';
import { recordOutcome } from '../../../src/worker/record-outcome.ts';
import { loggerInto } from '../../helpers/in-process-worker.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { ALICE, BOB, claimedJob, LEASE_MS, newBatch, testQueue } from '../queue/queue-fixture.ts';

/** A job whose worker caught `error`, with a committed batch; `attempts` failures are allowed. */
function claimed(attempts = SAFE_DEFAULTS.attempts) {
  const path = join(temporaryFolder(), 'queue.db');
  const queue = testQueue(path);
  const { job, lease } = claimedJob(queue, ALICE, 0);
  const lines: string[] = [];
  const context = { queue, settings: { ...SAFE_DEFAULTS, attempts }, log: loggerInto(lines) };
  const record = (error: Error): boolean => recordOutcome(context, job, lease, error);
  const row = () => queue.jobs.getJob(job.id);
  const events = () => queue.events.listEvents(job.id, 10).map(({ kind, message }) => ({ kind, message }));
  return { path, queue, job, lease, lines, record, row, events };
}

const UNTOUCHED = { errorCode: null, errorMessage: null, finishedAtMs: null };

test.each([new StoppedError('The worker is stopping.'), new WorkerMemoryError('too large')])(
  '%s returns the job to the queue at once and without a charge',
  (error) => {
    const { record, row, events, lines } = claimed();
    expect(record(error)).toBe(false);
    expect(row()).toMatchObject({
      ...{ state: 'queued', attempts: 0, notBeforeAtMs: null, note: null, stage: null },
      ...UNTOUCHED,
    });
    expect(events()).toEqual([]);
    expect(lines).toEqual(['stopped; back in the queue with its checkpoints']);
  },
);

test('a transient error returns the job to the queue with a pause and a note, and without a charge', () => {
  const { record, row, events, lines } = claimed();
  const before = Date.now();
  expect(record(new TransientError('DISK_FULL', 'The disk is full.'))).toBe(false);
  expect(row()).toMatchObject({
    ...{ state: 'queued', attempts: 0, note: 'waiting: The disk is full.' },
    ...UNTOUCHED,
  });
  const pauseMs = (row()?.notBeforeAtMs ?? 0) - before;
  expect(pauseMs).toBeGreaterThanOrEqual(30_000);
  expect(pauseMs).toBeLessThan(60_000);
  expect(events()).toEqual([]);
  expect(lines).toEqual(['The disk is full; retrying every 30 s without using an attempt']);
});

test('a job never waits longer than the queue makes it wait, and its log line says how long', () => {
  const { record, row, queue, lines } = claimed();
  const before = Date.now();
  record(new MaybeIncompleteError('clip.mp4 may be incomplete.', before + 3_600_000));
  expect(lines).toEqual(['clip.mp4 may be incomplete; checking again in 300 s']);
  expect((row()?.notBeforeAtMs ?? 0) - before).toBeGreaterThanOrEqual(300_000);
  expect(queue.leases.hasClaimable(Date.now() + 1_000)).toBe(false);
});

test.each([
  [new InputRejectedError('DAMAGED', 'Only 3 % of it can be decoded.'), 'rejected'],
  [new ModelError('MODEL_MISSING', 'The model is missing.'), 'failed permanently'],
] as const)('%s fails the job at once, with an event that says why', (error, what) => {
  const { record, row, events, lines } = claimed();
  expect(record(error)).toBe(false);
  const { code, message } = error;
  expect(row()).toMatchObject({ state: 'failed', errorCode: code, errorMessage: message, attempts: 1 });
  expect(row()?.finishedAtMs).not.toBeNull();
  expect(events()).toEqual([{ kind: 'rejected', message }]);
  expect(lines).toEqual([`${what} (${code}): ${message}`]);
});

test('a failed attempt is charged and retried after a pause, and the frames on the RAM disk are kept', () => {
  const { record, row, events, lines } = claimed(2);
  const before = Date.now();
  expect(record(new EngineError('ENGINE_FAILED', 'The engine failed.'))).toBe(true);
  expect(row()).toMatchObject({
    ...{ state: 'queued', attempts: 1, note: null },
    ...{ errorCode: 'ENGINE_FAILED', errorMessage: 'The engine failed.' },
  });
  expect(row()?.notBeforeAtMs).toBeGreaterThan(before);
  expect(events()).toEqual([{ kind: 'attempt-failed', message: 'The engine failed.' }]);
  expect(lines).toEqual(['attempt failed: The engine failed.']);
});

test('the last failed attempt fails the job permanently and names the command that retries it', () => {
  const { record, row, events, lines, job } = claimed(1);
  expect(record(new EngineError('ENGINE_FAILED', 'The engine failed.'))).toBe(false);
  expect(row()).toMatchObject({ state: 'failed', errorCode: 'ENGINE_FAILED', attempts: 1 });
  expect(events()).toEqual([{ kind: 'attempt-failed', message: 'The engine failed.' }]);
  expect(lines).toEqual([
    'attempt failed: The engine failed.',
    `failed permanently (ENGINE_FAILED); to try again: framekiln retry ${job.id}`,
  ]);
});

test('a job of `framekiln run` names that command, because `retry` rejects the job', () => {
  const { queue, job, lease, lines } = claimed();
  const context = { queue, settings: { ...SAFE_DEFAULTS, attempts: 1 }, log: loggerInto(lines) };
  recordOutcome(context, { ...job, origin: 'run' }, lease, new EngineError('ENGINE_FAILED', 'It failed.'));
  expect(lines[1]).toBe('failed permanently (ENGINE_FAILED); to try again: repeat the framekiln run command');
});

test('an unforeseen error is logged with its stack, and stored as one sentence', () => {
  const { record, row, lines } = claimed();
  record(new InternalError('This cannot be.'));
  expect(lines[0]).toMatch(/^attempt failed: InternalError: This cannot be\.\n {4}at /);
  expect(row()).toMatchObject({ errorCode: 'INTERNAL', errorMessage: 'This cannot be.' });
});

test.each([new LeaseLostError('taken back'), new SharedThreadError('crashed')])(
  '%s is thrown, and nothing is written for the job',
  (error) => {
    const { record, row, events, lines } = claimed();
    const before = row();
    expect(() => record(error)).toThrow(error);
    expect(row()).toEqual(before);
    expect([events(), lines]).toEqual([[], []]);
  },
);

test.each([
  new StoppedError('stopped'),
  new TransientError('DISK_FULL', 'full'),
  new InputRejectedError('DAMAGED', 'damaged'),
  new EngineError('ENGINE_FAILED', 'failed'),
])('%s of a worker that lost its lease changes neither the row nor the events', (error) => {
  const { queue, record, row, events, lines, job } = claimed();
  queue.sweepLeases({ nowMs: Date.now(), isOwnerAlive: () => false, failure: null });
  queue.leases.claim({ owner: BOB, nowMs: Date.now(), leaseMs: LEASE_MS });
  const before = row();
  expect(() => record(error)).toThrow(LeaseLostError);
  expect(row()).toEqual(before);
  expect([events(), lines]).toEqual([[], []]);
  expect(queue.batches.listBatches(job.id)).toEqual([]);
});

test('checkpoints outlive every outcome', () => {
  const { queue, record, lease, job } = claimed();
  queue.batches.commitBatch(lease, newBatch(0), 1);
  record(new InputRejectedError('SOURCE_MISSING', 'gone'));
  expect(queue.batches.listBatches(job.id)).toHaveLength(1);
});

test.each([
  new InputRejectedError('DAMAGED', 'Only 3 % of it can be decoded.'),
  new EngineError('ENGINE_FAILED', 'The engine failed.'),
])('%s is recorded whole or not at all: where its event cannot be written, the row stays', (error) => {
  const { path, record, row, events, lines } = claimed(1);
  const before = row();
  const other = new SqliteDatabase(path);
  const noEvents = `CREATE TRIGGER no_events BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END`;
  other.exec(noEvents);
  expect(() => record(error)).toThrow('no room');
  expect(row()).toEqual(before);
  expect(lines).toEqual([]);
  other.exec('DROP TRIGGER no_events');
  other.close();
  // Repeated, it is recorded with everything.
  record(error);
  expect(row()).toMatchObject({ state: 'failed', errorCode: error.code });
  expect(events()).toHaveLength(1);
});

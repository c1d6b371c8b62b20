import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ensureHome, homeAt, type Home } from '../../../src/config/home.ts';
import { recogniseHome } from '../../../src/daemon/recognise-home.ts';
import type { Queue } from '../../../src/queue/queue.ts';
import { openQueue } from '../../../src/queue/queue.ts';
import { loggerInto } from '../../helpers/in-process-worker.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { ALICE, LEASE_MS, newJob } from '../queue/queue-fixture.ts';

/** What a start on this home finds out: its ID and the log lines. */
async function startOn(root: string, before: (queue: Queue, home: Home) => void = () => undefined) {
  const home = homeAt(root);
  ensureHome(home);
  const queue = openQueue(home.databaseFile);
  onTestFinished(() => queue.close());
  before(queue, home);
  const lines: string[] = [];
  const { id } = await recogniseHome(home, queue, loggerInto(lines));
  const states = queue.jobs.listJobs().map(({ state, note }) => [state, note !== null] as const);
  const identity = queue.home.identity();
  queue.close();
  return { id, lines, states, identity };
}

/** Folders for a home and for what becomes of it. */
function places() {
  const root = temporaryFolder();
  return { first: join(root, 'first'), second: join(root, 'second') };
}

test('a home has the same ID at every start, and says nothing about it', async () => {
  const { first } = places();
  const once = await startOn(first);
  const again = await startOn(first);
  expect(once.id).toMatch(/^[0-9a-f]{16}$/);
  expect(again).toEqual({ ...once, lines: [] });
  expect(again.identity?.path).toBe(first);
});

test('a moved home keeps its ID and its jobs, and says once where it was', async () => {
  const { first, second } = places();
  const addJob = (queue: Queue) => void queue.jobs.enqueue(newJob());
  const { id } = await startOn(first, addJob);
  renameSync(first, second);
  const moved = await startOn(second);
  expect(moved).toMatchObject({ id, states: [['queued', false]] });
  expect(moved.lines).toEqual([`this home was moved from ${first} to ${second}`]);
  expect((await startOn(second)).lines).toEqual([]);
});

test('a moved home is no copy of another home that was made in its old place', async () => {
  const { first, second } = places();
  const { id } = await startOn(first);
  renameSync(first, second);
  const newcomer = await startOn(first);
  const moved = await startOn(second);
  expect(moved.id).toBe(id);
  expect(newcomer.id).not.toBe(id);
  expect(moved.lines).toEqual([`this home was moved from ${first} to ${second}`]);
});

test('a home that is used through another path is not a copy of itself', async () => {
  const { first, second } = places();
  const { id } = await startOn(first);
  mkdirSync(second);
  symlinkSync(join(first, '.framekiln'), join(second, '.framekiln'));
  expect((await startOn(second)).id).toBe(id);
});

test('a copied home gets its own ID, and pauses the jobs with files outside it', async () => {
  const { first, second } = places();
  const { id } = await startOn(first, (queue, home) => {
    const job = (source: string, output: string) =>
      void queue.jobs.enqueue(newJob({ sourcePath: source, outputPath: output }));
    job('/elsewhere/running.mp4', join(home.output, 'running.mp4'));
    queue.leases.claim({ owner: ALICE, nowMs: Date.now(), leaseMs: LEASE_MS });
    job(join(home.input, 'far.mp4'), '/elsewhere/far.mp4');
    job(join(home.input, 'own.mp4'), join(home.output, 'own.mp4'));
  });
  cpSync(first, second, { recursive: true });
  const copy = await startOn(second);
  expect(copy.id).not.toBe(id);
  expect(copy.states).toEqual([
    ['paused', true],
    ['paused', true],
    ['queued', false],
  ]);
  expect(copy.lines).toEqual([
    `this home is a copy of ${first}; it has a new ID and uses only its own files; paused 2 jobs with files outside this home (to process one here too: framekiln resume ID)`,
  ]);
  expect((await startOn(second)).lines).toEqual([]);
  const original = await startOn(first);
  expect(original).toMatchObject({ id, lines: [] });
  expect(original.states.map(([state]) => state)).toEqual(['running', 'queued', 'queued']);
});

test('a copied home that shares a linked folder with its original pauses the jobs in it', async () => {
  const { first, second } = places();
  const shared = temporaryFolder();
  mkdirSync(first);
  symlinkSync(shared, join(first, 'input'));
  await startOn(first, (queue, { input, output }) => {
    queue.jobs.enqueue(newJob({ sourcePath: join(input, 'a.mp4'), outputPath: join(output, 'a.mp4') }));
  });
  cpSync(first, second, { recursive: true, verbatimSymlinks: true });
  expect((await startOn(second)).states).toEqual([['paused', true]]);
});

test('a copy whose original cannot be read is still a copy; one whose original is deleted has moved', async () => {
  const { first, second } = places();
  const { id } = await startOn(first);
  cpSync(first, second, { recursive: true });
  writeFileSync(homeAt(first).databaseFile, 'damaged, and of another length');
  const third = `${second}-third`;
  cpSync(second, third, { recursive: true });
  expect((await startOn(second)).id).not.toBe(id);
  rmSync(first, { recursive: true });
  expect((await startOn(third)).id).toBe(id);
});

test('a home from another machine gets a new ID and keeps its jobs', async () => {
  const { first } = places();
  const { id, identity } = await startOn(first);
  if (identity === null) throw new Error('The home has no identity.');
  const elsewhere = await startOn(first, (queue) => {
    queue.jobs.enqueue(newJob());
    queue.home.setIdentity({ ...identity, machine: 'f'.repeat(32) });
  });
  expect(elsewhere.lines).toEqual(
    identity.machine === null ? [] : ['this home was last used on another machine; it now has a new ID'],
  );
  expect(elsewhere.id === id).toBe(identity.machine === null);
  expect(elsewhere.states).toEqual([['queued', false]]);
});

test('frames that were copied with a home are removed from the copy, not from the original', async () => {
  const { first, second } = places();
  const { id } = await startOn(first);
  const frames = (root: string) => join(root, `.framekiln/frames/framekiln-${id}-1-1-AbCd09`);
  mkdirSync(frames(first), { recursive: true, mode: 0o700 });
  // cpSync of Node 22 and later does not keep the mode of folders.
  execFileSync('cp', ['-a', first, second]);
  await startOn(second);
  expect(statSync(frames(second), { throwIfNoEntry: false })).toBeUndefined();
  expect(statSync(frames(first)).isDirectory()).toBe(true);
});

test('a copied home does not count the finished videos of its original as its own', async () => {
  const { first, second } = places();
  const job = { id: 1, fingerprint: 'ff' };
  const written = { sha256: 'aa', bytes: 1 };
  await startOn(first, (queue) => queue.outputs.addWritten(job, written));
  cpSync(first, second, { recursive: true });
  let inCopy: unknown;
  await startOn(second);
  await startOn(second, (queue) => (inCopy = queue.outputs.writtenByJob(job)));
  expect(inCopy).toEqual([]);
  renameSync(first, `${first}-moved`);
  let inMoved: unknown;
  await startOn(`${first}-moved`);
  await startOn(`${first}-moved`, (queue) => (inMoved = queue.outputs.writtenByJob(job)));
  expect(inMoved).toEqual([written]);
});

test('a home whose damaged database lost the ID has it again from its checkpoints', async () => {
  const { first } = places();
  const { id } = await startOn(first);
  mkdirSync(join(first, '.framekiln/jobs/1'));
  writeFileSync(join(first, '.framekiln/jobs/1/.framekiln-home'), id);
  rmSync(join(first, '.framekiln/framekiln.db'));
  expect((await startOn(first)).id).toBe(id);
});

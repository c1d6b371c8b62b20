import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { decodeFrameIndex } from '../../src/media/index/frame-index-file.ts';
import { acquireProcessLock } from '../../src/queue/process-lock.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { JobFolder } from '../../src/workspace/job-folder.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { DiskModel, type Fate } from '../helpers/disk-model.ts';
import { HOME_ID } from '../helpers/identified-home.ts';
import { filesBelow, makeHome, run } from '../helpers/framekiln.ts';
import { readOperations, runRecorded, whyNoRecording } from '../helpers/recorded-operations.ts';

/*
 * Records the file operations of the real program and simulates a power cut after each of them. Data that was not
 * synced may be on the disk or not (test/helpers/disk-model.ts). Every state must open, keep what was acknowledged, and
 * never show an incomplete finished file; from some states the real program runs to the end.
 */
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);
const MAIN = resolve(import.meta.dirname, '../../dist/main.js');
const FRAMES = 60;

/** What the program had acknowledged when the power was cut, by its own fail points. */
interface Acknowledged {
  jobs: number;
  batches: number;
  done: boolean;
}

const whyNot = whyNoRecording();
const testWithRecording = test.skipIf(whyNot !== null);
const suffix = whyNot === null ? '' : ` (${whyNot})`;

testWithRecording(`after a power cut nothing that was acknowledged is lost${suffix}`, async () => {
  await cutPower({ leastStates: 300, recoveryCount: 1 });
});

testWithRecording(
  `after any of 2000 power cuts nothing that was acknowledged is lost${suffix}`,
  { tags: ['slow'] },
  async () => {
    await cutPower({
      leastStates: 2000,
      recoveryCount: Number(process.env['FRAMEKILN_POWER_CUTS'] ?? 4),
    });
  },
);

interface Extent {
  /** States of the disk that are checked at least. */
  readonly leastStates: number;
  /** States from which the real program runs to the end, at most. */
  readonly recoveryCount: number;
}

async function cutPower({ leastStates, recoveryCount }: Extent): Promise<void> {
  // In memory if possible, because thousands of states are written.
  const home = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'framekiln-test-'));
  const scratch = mkdtempSync(join(tmpdir(), 'framekiln-test-'));
  onTestFinished(() => [home, scratch].forEach((folder) => rmSync(folder, { recursive: true, force: true })));
  makeHome(
    home,
    'intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 10, frames: 20 }\nworkspace: { memoryFraction: 0.05 }\noutput: { source: move }\n',
  );
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: FRAMES, width: 32, height: 24 });
  const folders = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => relative(home, join(entry.parentPath, entry.name)));
  const before = new Map(filesBelow(home).map((path) => [path, readFileSync(join(home, path))]));

  const log = join(scratch, 'calls');
  runRecorded(log, [process.execPath, MAIN, 'start', '--once', '--home', home], {
    FRAMEKILN_FAIL_POINTS: scratch,
  });
  const finished = readFileSync(join(home, 'output/lanczos-2x/clip.mp4'));
  const images = frameMd5(join(home, 'output/lanczos-2x/clip.mp4'));

  const isWatched = (path: string) =>
    path.startsWith(`${home}/`) && !/^(logs|\.framekiln\/(ram|frames)\b|.*-shm$)/.test(relative(home, path));
  const hits = join(scratch, 'hits');
  const operations = await readOperations(log, (path) => path === home || isWatched(path) || path === hits);
  const disk = new DiskModel(home, folders, before);
  const random = seededRandom(seed);
  const acknowledged: Acknowledged = { jobs: 0, batches: 0, done: false };
  const cuts = operations.filter(({ path }) => path !== hits).length;
  const perCut = Math.max(1, Math.ceil(leastStates / cuts));
  let states = 0;
  let recoveries = 0;

  for (const operation of operations) {
    if (operation.path === hits) {
      note(acknowledged, operation.kind === 'write' ? operation.bytes.toString().trim() : '');
      continue;
    }
    disk.apply(operation);
    for (const fate of fates(disk.pendingCount, perCut, random)) {
      for (const name of readdirSync(home)) rmSync(join(home, name), { recursive: true });
      disk.writeCrashState(home, fate);
      states++;
      const isRunToEnd = random() < (recoveryCount * 1.5) / leastStates && recoveries < recoveryCount;
      const context = `seed ${seed}, state ${states}, after ${operation.kind} ${relative(home, operation.path)}`;
      expect(await faultsOf(home, acknowledged, finished), context).toEqual([]);
      if (!isRunToEnd) continue;
      recoveries++;
      expect(run(['start', '--once', '--home', home]), context).toMatchObject({ status: 0 });
      expect(frameMd5(join(home, 'output/lanczos-2x/clip.mp4')), context).toEqual(images);
    }
  }
  console.log(
    `${states} states after ${operations.length} operations, ${recoveries} of them run to the end; seed ${seed}`,
  );
  expect(states).toBeGreaterThanOrEqual(leastStates);
  expect(acknowledged).toEqual({ jobs: 1, batches: 4, done: true });
}

/** All effects kept, all lost, and random choices. Without pending effects there is only one state. */
function* fates(pending: number, count: number, random: () => number): Generator<(effect: number) => Fate> {
  yield () => 'kept';
  if (pending === 0) return;
  yield () => 'lost';
  for (let i = 2; i < count * 2; i++) {
    const chosen = Array.from({ length: pending }, (): Fate => {
      const dice = random();
      return dice < 0.45 ? 'kept' : dice < 0.9 ? 'lost' : 'zeros';
    });
    yield (effect) => chosen[effect] ?? 'kept';
  }
}

function note(acknowledged: Acknowledged, point: string): void {
  if (point === 'enqueue.committed') acknowledged.jobs = 1;
  if (point === 'commit-batch.committed') acknowledged.batches++;
  if (point === 'finish-job.written') acknowledged.done = true;
}

/** What was lost or is incomplete in a state, a sentence each. */
async function faultsOf(home: string, acknowledged: Acknowledged, finished: Buffer): Promise<string[]> {
  const faults: string[] = [];
  const output = join(home, 'output/lanczos-2x/clip.mp4');
  const isPublished = existsSync(output);
  if (isPublished && !readFileSync(output).equals(finished)) faults.push('the finished file is incomplete');
  const source = ['input/lanczos-2x/clip.mp4', 'finished/clip.mp4'].map((path) => join(home, path));
  if (!source.some((path) => existsSync(path))) faults.push('the source is gone');
  const state = join(home, '.framekiln');
  if (!existsSync(state)) {
    if (acknowledged.jobs > 0) faults.push('the whole state folder is gone');
    return faults;
  }
  const lock = acquireProcessLock(join(state, 'daemon.lock'));
  if (lock === null) faults.push('the lock cannot be acquired although no process holds it');
  lock?.release();

  const path = join(state, 'framekiln.db');
  const db = new SqliteDatabase(path);
  const integrity = db.pragma('integrity_check', { simple: true });
  db.close();
  if (integrity !== 'ok') return [...faults, `integrity check of the database: ${String(integrity)}`];
  const queue = openQueue(path);
  try {
    const job = queue.jobs.getJob(1);
    if (job === null) {
      if (acknowledged.jobs > 0) faults.push('the job is gone');
      return faults;
    }
    const batches = queue.batches.listBatches(1);
    if (batches.length < acknowledged.batches)
      faults.push(`${batches.length} batches instead of ${acknowledged.batches}`);
    if (acknowledged.done && job.state !== 'done') faults.push(`the job was done and is ${job.state} now`);
    if (job.publishedAtMs !== null) {
      if (!isPublished) faults.push('the job is published, but its file is missing');
      return faults;
    }
    const folder = new JobFolder({ id: HOME_ID, jobsDir: join(state, 'jobs') }, 1);
    for (const batch of batches)
      if (!(await folder.isIntact(batch)))
        faults.push(`the committed segment of batch ${batch.number} is lost`);
    if (existsSync(folder.indexFile) && decodeFrameIndex(readFileSync(folder.indexFile)) === null)
      faults.push('the frame index is incomplete');
  } finally {
    queue.close();
  }
  return faults;
}

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { Patient } from '../helpers/faults.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A home with one finished clip, and one of which two batches are committed; everything was killed. */
async function halfDone() {
  const home = makeHome(temporaryFolder());
  makeClip(join(home, 'input/lanczos-2x/first.mp4'), { frames: 20 });
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  makeClip(join(home, 'input/lanczos-2x/second.mp4'), { frames: 90 });
  const points = failPointFolder(join(home, 'points'));
  points.arm('commit-batch.committed 2 kill-group');
  await start(['start', '--once', '--home', home], points.environment).ended;
  const path = join(home, '.framekiln/framekiln.db');
  const db = new SqliteDatabase(path);
  db.pragma('wal_checkpoint(TRUNCATE)');
  const pageOf = new Map(
    db
      .prepare<[], { name: string; rootpage: number }>(
        `SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0`,
      )
      .all()
      .map(({ name, rootpage }) => [name, rootpage]),
  );
  const pageBytes = db.pragma('page_size', { simple: true }) as number;
  db.close();
  const damage = (table: string, page = Buffer.alloc(pageBytes, 0xa5)) => {
    const file = openSync(path, 'r+');
    writeSync(file, page, 0, page.length, ((pageOf.get(table) ?? 1) - 1) * pageBytes);
    closeSync(file);
  };
  return { home, path, damage };
}

/** Both clips are done, the first was not done again, and the damaged file is kept. */
function expectWhole(home: string): void {
  const log = readLog(home);
  expect(log).toMatch(/the database is damaged .* it is kept as .*framekiln\.db\.damaged-/);
  expect(log.match(/\[first\.mp4\] done in/g)).toHaveLength(1);
  expect(frameMd5(join(home, 'output/lanczos-2x/second.mp4'))).toHaveLength(90);
  expect(readdirSync(join(home, '.framekiln')).some((name) => name.includes('.damaged-'))).toBe(true);
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  expect(queue.jobs.countByState()).toMatchObject({ done: 2, failed: 0, queued: 0, running: 0 });
  queue.close();
}

test('a damaged page costs what stands on it: jobs and checkpoints are saved', async () => {
  const { home, damage } = await halfDone();
  damage('seen_files');
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/2 jobs and 4 checkpoints of it were saved/);
  expect(readLog(home)).toMatch(/\[second\.mp4\] resuming from checkpoint: 30 of 90 frames already done/);
  expectWhole(home);
});

test('an index without its entries hides no job: it is well-formed, and only a comparison with its table finds it', async () => {
  const { home, damage } = await halfDone();
  // The head of a leaf page of an index: its kind, and no cells.
  damage('jobs_in_order', Buffer.from([0x0a, 0, 0, 0, 0, 0x10, 0, 0]));
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/2 jobs and 4 checkpoints of it were saved/);
  expectWhole(home);
});

test('an empty file is as good as none: what is finished is not done again', async () => {
  const { home, path } = await halfDone();
  writeFileSync(path, '');
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/1 finished job restored from reports/);
  expect(readLog(home).match(/\[first\.mp4\] done in/g)).toHaveLength(1);
  expect(frameMd5(join(home, 'output/lanczos-2x/second.mp4'))).toHaveLength(90);
});

test('with the checkpoints gone their frames are done again, and only theirs', async () => {
  const { home, damage } = await halfDone();
  damage('batches');
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/2 jobs and 0 checkpoints of it were saved/);
  expectWhole(home);
});

test('with nothing readable, finished jobs are known by their reports and the rest is found again', async () => {
  const { home, path } = await halfDone();
  writeFileSync(path, Buffer.alloc(readFileSync(path).length, 0x5a));
  // Commands say what is wrong, and do not touch it.
  const status = run(['status', '--home', home]);
  expect(status.stderr).toMatch(
    /^DATABASE_DAMAGED: The database .* is damaged; `framekiln start` sets it aside/,
  );
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/1 finished job restored from reports/);
  expectWhole(home);
});

/** Writes over a table's first page while the program runs, as a broken disk or another program would. */
function overwrite(database: string, table: string): void {
  const db = new SqliteDatabase(database, { timeout: 10_000 });
  // Whatever is still in the log would heal the page.
  let isBusy = true;
  while (isBusy) isBusy = (db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[])[0]?.busy !== 0;
  const page = db
    .prepare<[string], { rootpage: number }>(`SELECT rootpage FROM sqlite_master WHERE name = ?`)
    .get(table);
  const bytes = db.pragma('page_size', { simple: true }) as number;
  db.close();
  const where = [`bs=${bytes}`, `seek=${(page?.rootpage ?? 1) - 1}`, 'count=1', 'conv=notrunc'];
  execFileSync('dd', ['if=/dev/urandom', `of=${database}`, ...where], { stdio: 'ignore' });
}

function setAside(home: string): number {
  return readdirSync(join(home, '.framekiln')).filter((name) => /\.damaged-[^.]*$/.test(name)).length;
}

test.each(['jobs', 'batches', 'seen_files'])(
  'damage to %s while a job runs is found, and work goes on',
  async (table) => {
    const patient = new Patient({
      frames: 200,
      armed: ['segment.published 3 stop'],
    });
    await patient.until(() => patient.points.hasFired('segment.published'));
    overwrite(patient.database, table);
    patient.points.arm();
    patient.wake();
    await patient.until(() => setAside(patient.home) === 1, 30_000);
    await patient.until(() => patient.says(/\[clip\.mp4\] done in/));
    expect(frameMd5(patient.output)).toHaveLength(200);
    expect(patient.says(/attempt failed/)).toBe(false);
    expect(patient.running.child.exitCode).toBeNull();
    expect(patient.job()?.attempts).toBeLessThanOrEqual(1);
  },
);

test('a database that is damaged again and again ends the daemon, with the reason', async () => {
  const patient = new Patient({ frames: 10 });
  await patient.isDone();
  for (let count = 1; count <= 4; count++) {
    overwrite(patient.database, 'jobs_in_order');
    // At work on the new one: what is overwritten while that is made is found when it is opened, and does not count.
    const begun = () => readLog(patient.home).match(/ Framekiln watches /g)?.length;
    if (count < 4) await patient.until(() => begun() === count + 1, 30_000);
  }
  expect(await patient.running.ended).not.toBe(0);
  expect(patient.says(/The database was damaged 4 times while this daemon ran; look at the disk of/)).toBe(
    true,
  );
});

test('a torn report ends neither the daemon nor `status`, and the others are believed', async () => {
  const { home, path } = await halfDone();
  const reports = join(home, '.framekiln/reports');
  writeFileSync(join(reports, '7.json'), '{"source":');
  writeFileSync(join(reports, '8.json'), 'null');
  writeFileSync(path, Buffer.alloc(readFileSync(path).length, 0x5a));
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/the report of job 7 is torn, and the queue does not know the job/);
  expect(readLog(home)).toMatch(/the report of job 8 is torn/);
  expect(readLog(home)).toMatch(/1 finished job restored from reports/);
  expectWhole(home);
  writeFileSync(join(reports, '1.json'), '{"source":');
  const status = run(['status', '--json', '--home', home]);
  expect(status.stderr).toBe('');
  expect(JSON.parse(status.stdout)).toMatchObject({ jobs: [{ id: 1, state: 'done', report: null }, {}] });
});

test('a kill between the salvage and the reports costs nothing: they are read at every start', async () => {
  const { home, path } = await halfDone();
  // What such a kill leaves: the salvaged database is audio, and empty.
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
  openQueue(path).close();
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/1 finished job restored from reports/);
  expect(readLog(home).match(/\[first\.mp4\] done in/g)).toHaveLength(1);
});

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { DaemonWithClip } from '../helpers/daemon-with-clip.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A home with one finished clip and one with two committed batches, whose daemon was killed. */
async function homeWithHalfDoneJob() {
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

/** Expects that both clips are done, the first only once, and that the damaged database was kept. */
function expectBothDone(home: string): void {
  const log = readLog(home);
  expect(log).toMatch(/the database is damaged .* renamed it to .*framekiln\.db\.damaged-/);
  expect(log.match(/\[first\.mp4\] done in/g)).toHaveLength(1);
  expect(frameMd5(join(home, 'output/lanczos-2x/second.mp4'))).toHaveLength(90);
  expect(readdirSync(join(home, '.framekiln')).some((name) => name.includes('.damaged-'))).toBe(true);
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  expect(queue.jobs.countByState()).toMatchObject({ done: 2, failed: 0, queued: 0, running: 0 });
  queue.close();
}

test('a damaged page loses only what it holds: jobs and checkpoints are recovered', async () => {
  const { home, damage } = await homeWithHalfDoneJob();
  damage('seen_files');
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/2 jobs and 4 checkpoints from it/);
  expect(readLog(home)).toMatch(/\[second\.mp4\] resuming from checkpoint: 30 of 90 frames already done/);
  expectBothDone(home);
});

test(
  'an index page that is well-formed but empty is detected, and hides no job',
  { tags: ['slow'] },
  async () => {
    const { home, damage } = await homeWithHalfDoneJob();
    // The header of a leaf page of an index without cells.
    damage('jobs_in_order', Buffer.from([0x0a, 0, 0, 0, 0, 0x10, 0, 0]));
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(readLog(home)).toMatch(/2 jobs and 4 checkpoints from it/);
    expectBothDone(home);
  },
);

test(
  'after an empty database file, finished jobs are restored from their reports',
  { tags: ['slow'] },
  async () => {
    const { home, path } = await homeWithHalfDoneJob();
    writeFileSync(path, '');
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(readLog(home)).toMatch(/restored 1 finished job from its report$/m);
    expect(readLog(home).match(/\[first\.mp4\] done in/g)).toHaveLength(1);
    expect(frameMd5(join(home, 'output/lanczos-2x/second.mp4'))).toHaveLength(90);
  },
);

test('frames of lost checkpoints are processed again, and no others', { tags: ['slow'] }, async () => {
  const { home, damage } = await homeWithHalfDoneJob();
  damage('batches');
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(readLog(home)).toMatch(/2 jobs and 0 checkpoints from it/);
  expectBothDone(home);
});

test(
  'after an unreadable database, finished jobs are restored from their reports and the others are queued again',
  { tags: ['slow'] },
  async () => {
    const { home, path } = await homeWithHalfDoneJob();
    writeFileSync(path, Buffer.alloc(readFileSync(path).length, 0x5a));
    // Commands report the damage and leave the file alone.
    const status = run(['status', '--home', home]);
    expect(status.stderr).toMatch(
      /^DATABASE_DAMAGED: The database .* is damaged; run `framekiln start`, which keeps a copy of it/,
    );
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(readLog(home)).toMatch(/restored 1 finished job from its report$/m);
    expectBothDone(home);
  },
);

/** Overwrites the first page of a table while the program runs, as a broken disk or another program would. */
function overwrite(database: string, table: string): void {
  const db = new SqliteDatabase(database, { timeout: 10_000 });
  const number = (pragma: string) => db.pragma(pragma, { simple: true }) as number;
  // No other process may commit meanwhile: it would write the page again from its memory.
  db.exec('BEGIN IMMEDIATE');
  // A page that is still in the write-ahead log would replace the damaged one.
  while (statSync(`${database}-wal`).size > 0) {
    db.exec('COMMIT');
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.exec('BEGIN IMMEDIATE');
  }
  const page = db
    .prepare<[string], { rootpage: number }>(`SELECT rootpage FROM sqlite_master WHERE name = ?`)
    .get(table);
  const where = [`bs=${number('page_size')}`, `seek=${(page?.rootpage ?? 1) - 1}`, 'count=1', 'conv=notrunc'];
  execFileSync('dd', ['if=/dev/urandom', `of=${database}`, ...where], { stdio: 'ignore' });
  // Other processes read a page again only after a commit.
  db.pragma(`user_version = ${number('user_version')}`);
  db.exec('COMMIT');
  db.close();
}

function damagedCopyCount(home: string): number {
  return readdirSync(join(home, '.framekiln')).filter((name) => /\.damaged-[^.]*$/.test(name)).length;
}

test.each(['jobs', 'batches', 'seen_files'])(
  'damage to %s while a job runs is detected, and the job completes',
  { tags: ['slow'] },
  async (table) => {
    const daemon = new DaemonWithClip({
      frames: 200,
      armed: ['segment.published 3 stop'],
    });
    await daemon.waitFor(() => daemon.points.hasFired('segment.published'));
    overwrite(daemon.database, table);
    daemon.points.arm();
    daemon.resumeProcesses();
    await daemon.waitFor(() => damagedCopyCount(daemon.home) === 1, 30_000);
    await daemon.waitFor(() => daemon.hasLogged(/\[clip\.mp4\] done in/));
    expect(frameMd5(daemon.output)).toHaveLength(200);
    expect(daemon.hasLogged(/attempt failed/)).toBe(false);
    expect(daemon.running.child.exitCode).toBeNull();
    expect(daemon.job()?.attempts).toBeLessThanOrEqual(1);
  },
);

test(
  'the daemon exits with the reason when its database is damaged again and again',
  { tags: ['slow'] },
  async () => {
    const daemon = new DaemonWithClip({ frames: 10 });
    await daemon.completes();
    for (let count = 1; count <= 4; count++) {
      overwrite(daemon.database, 'jobs_in_order');
      // Damage to a database that is still being created is found when it is opened, and does not count.
      const startCount = () => readLog(daemon.home).match(/ Framekiln is watching /g)?.length;
      if (count < 4) await daemon.waitFor(() => startCount() === count + 1, 30_000);
    }
    expect(await daemon.running.ended).not.toBe(0);
    expect(
      daemon.hasLogged(/The database was damaged 4 times while this daemon ran; check the disk that holds/),
    ).toBe(true);
  },
);

test(
  'a torn report stops neither the daemon nor `status`, and the other reports are used',
  { tags: ['slow'] },
  async () => {
    const { home, path } = await homeWithHalfDoneJob();
    const reports = join(home, '.framekiln/reports');
    writeFileSync(join(reports, '7.json'), '{"source":');
    writeFileSync(join(reports, '8.json'), 'null');
    writeFileSync(path, Buffer.alloc(readFileSync(path).length, 0x5a));
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(readLog(home)).toMatch(/job 7 is missing from the database and its report is damaged/);
    expect(readLog(home)).toMatch(/job 8 is missing from the database and its report is damaged/);
    expect(readLog(home)).toMatch(/restored 1 finished job from its report$/m);
    expectBothDone(home);
    writeFileSync(join(reports, '1.json'), '{"source":');
    const status = run(['status', '--json', '--home', home]);
    expect(status.stderr).toBe('');
    expect(JSON.parse(status.stdout)).toMatchObject({ jobs: [{ id: 1, state: 'done', report: null }, {}] });
  },
);

test(
  'finished jobs are restored from reports also after a kill right after the salvage',
  { tags: ['slow'] },
  async () => {
    const { home, path } = await homeWithHalfDoneJob();
    // Such a kill leaves an intact, empty database.
    for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
    openQueue(path).close();
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(readLog(home)).toMatch(/restored 1 finished job from its report$/m);
    expect(readLog(home).match(/\[first\.mp4\] done in/g)).toHaveLength(1);
  },
);

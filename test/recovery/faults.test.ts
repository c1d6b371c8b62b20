import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { makeClip } from '../helpers/clips.ts';
import { badFfmpeg, Patient } from '../helpers/faults.ts';
import { MAIN, makeHome, readLog } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { mayMount, mountTmpfs } from '../helpers/tmpfs.ts';

/** The whole takes ten minutes on a busy machine; each kind has one or two on every change. */
const isWhole = process.env['FRAMEKILN_FAULTS'] === 'all';

/** What was injected, how it ended, what was said, how many tries it used, after how many seconds work was over. */
const table: string[] = [];
afterAll(() =>
  console.log(
    ['| fault | outcome | message | tries | s |', '| --- | --- | --- | --- | --- |', ...table].join('\n'),
  ),
);

function note(fault: string, patient: Patient, seconds: number): void {
  const job = patient.job();
  const said =
    patient.complaints().find((line) => line.includes('clip.mp4') || line.includes('worker')) ?? '';
  const tries = patient.complaints().filter((line) => /attempt failed|the worker died/.test(line)).length;
  const outcome = job?.state === 'failed' ? `${job.state} ${job.errorCode ?? ''}` : (job?.state ?? 'no job');
  table.push(
    `| ${fault} | ${outcome} | ${(job?.errorMessage ?? said).replaceAll('|', '/').slice(0, 220)} | ${tries} | ${seconds.toFixed(1)} |`,
  );
}

test('a model that hangs is found out, and its worker is started anew', async () => {
  const patient = new Patient({ settings: 'engine: { stallSeconds: 2 }\n' });
  patient.points.arm('transformed-frame.before-write 15 hang');
  await patient.until(() => patient.points.hasFired('transformed-frame.before-write'));
  const seconds = await patient.isDone();
  expect(patient.says(/attempt failed: The model made no progress for 2 s without using the CPU/)).toBe(true);
  note('inference thread hangs (stallSeconds: 2)', patient, seconds);
});

test.each(
  (
    [
      ['is killed by a fault in native code', 'SIGSEGV'],
      ['is aborted by a native library', 'SIGABRT'],
    ] as const
  ).slice(0, isWhole ? 2 : 1),
)('a worker that %s is started anew', async (what, signal) => {
  const patient = new Patient({ frames: 200 });
  await patient.until(() => patient.job() !== null && patient.batches() > 0);
  process.kill(patient.workers()[0] ?? 0, signal);
  const seconds = await patient.isDone();
  expect(patient.says(new RegExp(`the worker died \\(signal ${signal}\\)`))).toBe(true);
  note(`the worker ${what}`, patient, seconds);
});

test.each([
  [
    'an encoder that exits 0 with too few frames',
    ' libx264 ',
    'shift_frames=5; "$real" -frames:v 5 "$@" >/dev/null 2>&1; for last; do :; done; exec "$real" -hide_banner -loglevel error -y -f lavfi -i color=s=128x96 -frames:v 5 -c:v libx264 -f mp4 "$last"',
    /A segment (does not decode|holds \d+ frames instead of|has a frame at the wrong time)/,
  ],
  [
    'an encoder that crashes',
    ' libx264 ',
    'kill -SEGV $$',
    /ffmpeg failed \(signal SIGSEGV\) while encoding/,
  ],
  ['a decoder that ends early', ' rawvideo ', 'exit 0', null],
  ['a join that ends early', 'file:*output*', 'exit 0', /attempt failed: Joining gave no file/],
] as const)('%s: the try is done again', async (what, when, instead, message) => {
  const path = badFfmpeg(temporaryFolder(), when, instead);
  const patient = new Patient({ path });
  const seconds = await patient.isDone();
  if (message !== null) expect(patient.complaints().join('\n')).toMatch(message);
  note(what, patient, seconds);
});

test.skipIf(!mayMount()).each([
  ['cannot be written', 'size=8m,ro', 'rw', /A folder cannot be written: EROFS/],
  [
    'is too small, found before the first frame',
    'size=32k',
    'size=8m',
    /clip\.mp4 needs about .* MB in .*, where .* MB are free/,
  ],
] as const)('an output folder that %s is waited for', async (what, options, mended, message) => {
  const root = temporaryFolder();
  const { remount } = mountTmpfs(join(root, 'output'), options);
  const patient = new Patient({ root });
  await patient.until(() => patient.job()?.note?.match(message));
  expect(patient.job()).toMatchObject({ state: 'queued', attempts: 0, framesDone: 0 });
  remount(mended);
  patient.backdate();
  const seconds = await patient.isDone();
  note(`output/ ${what} (the wait of 30 s cut short)`, patient, seconds);
});

test.each([
  ['vanishes', 'SOURCE_MISSING', (path: string): void => rmSync(path)],
  ['is truncated', 'SOURCE_CHANGED', (path: string): void => truncateSync(path, 5000)],
  ['is replaced', 'SOURCE_CHANGED', (path: string): void => void makeClip(path, { frames: 30 })],
] as const)(
  'an input that %s in mid-job sets it aside at once, with the reason',
  async (what, code, change) => {
    const patient = new Patient({ frames: 200 });
    patient.points.arm('segment.published 2 stop');
    await patient.until(() => patient.points.hasFired('segment.published'));
    change(join(patient.home, 'input/lanczos-2x/clip.mp4'));
    process.kill(-(patient.running.child.pid ?? 0), 'SIGCONT');
    const asked = performance.now();
    await patient.until(() => patient.job()?.state === 'failed');
    expect(patient.job()?.errorCode).toBe(code);
    note(`the input ${what} while it is in work`, patient, (performance.now() - asked) / 1000);
  },
);

test('a database that another holds locked is waited for', async () => {
  const patient = new Patient({ frames: 200 });
  await patient.until(() => patient.job() !== null && patient.batches() > 0);
  const db = new SqliteDatabase(patient.database);
  db.exec('BEGIN EXCLUSIVE');
  // Longer than the five seconds that a write waits.
  await new Promise((pass) => setTimeout(pass, 8_000));
  db.exec('ROLLBACK');
  db.close();
  await patient.until(() => patient.job()?.state !== 'running');
  patient.backdate();
  const seconds = await patient.isDone();
  expect(patient.job()?.state).toBe('done');
  expect(patient.running.child.exitCode).toBeNull();
  note('the database is locked for 8 s (its wait of 30 s cut short)', patient, seconds);
});

test('a worker whose memory grows without end is started anew behind a batch, and no try is used', async () => {
  const patient = new Patient({
    frames: 150,
    armed: ['segment.before-encoding 1+ leak'],
    environment: { FRAMEKILN_WORKER_MEMORY_MB: '400' },
  });
  const seconds = await patient.isDone();
  expect(patient.says(/worker memory is \d+ MB, limit 400 MB; restarting it/)).toBe(true);
  expect(patient.says(/resuming from checkpoint: \d+ of \d+ frames already done/)).toBe(true);
  expect(patient.complaints().join('\n')).not.toMatch(/attempt failed|the worker died/);
  expect(patient.job()?.attempts).toBeLessThanOrEqual(1);
  note('a worker that leaks 64 MB a batch (limit 400 MB)', patient, seconds);
});

test.runIf(isWhole)(
  'R24: a worker that is stopped is killed after half a minute, and the next one goes on',
  async () => {
    const patient = new Patient({ frames: 200 });
    patient.points.arm('segment.published 2 stop');
    await patient.until(() => patient.points.hasFired('segment.published'));
    const asked = performance.now();
    await patient.until(() => patient.says(/the worker died \(it said nothing for 30 s\)/));
    expect(performance.now() - asked).toBeLessThan(35_000);
    await patient.isDone();
    note('the worker is stopped (SIGSTOP)', patient, (performance.now() - asked) / 1000);
  },
);

test.runIf(isWhole)(
  'a worker that is stopped while it holds the database locked is killed, too',
  async () => {
    const patient = new Patient({ frames: 200 });
    patient.points.arm('commit-batch.before-commit 2 stop');
    await patient.until(() => patient.points.hasFired('commit-batch.before-commit'));
    const asked = performance.now();
    await patient.until(() => patient.says(/the queue could not be used: database is locked/));
    await patient.until(() => patient.says(/the worker died \(it said nothing for 30 s\)/));
    expect(performance.now() - asked).toBeLessThan(45_000);
    await patient.isDone();
    expect(patient.running.child.exitCode).toBeNull();
    note('the worker is stopped in a transaction', patient, (performance.now() - asked) / 1000);
  },
);

test.runIf(isWhole)('R32: an ffmpeg that moves nothing for a minute is killed', async () => {
  const patient = new Patient({ path: badFfmpeg(temporaryFolder(), ' libx264 ', 'exec sleep 600') });
  const seconds = await patient.isDone(120_000);
  expect(patient.complaints().join('\n')).toMatch(/ffmpeg moved nothing for 60 s while encoding/);
  note('an encoder that hangs', patient, seconds);
});

/** A limit of a user namespace of its own: the machine's is left alone. */
const fewWatches = ['-U', '-r', 'sh', '-c', 'echo 2 > /proc/sys/user/max_inotify_watches; exec "$@"', 'sh'];

test.skipIf(spawnSync('unshare', [...fewWatches, 'true']).status !== 0)(
  'R20: with the inotify limit reached it says so, and new files are found by looking',
  async () => {
    const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\n');
    for (const folder of ['a', 'b', 'c']) mkdirSync(join(home, 'input/lanczos-2x', folder));
    const child = spawn('unshare', [...fewWatches, process.execPath, MAIN, 'start', '--home', home], {
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const says = (what: RegExp) => expect.poll(() => readLog(home), { timeout: 60_000 }).toMatch(what);
    await says(
      /input cannot be watched whole \(ENOSPC: .*; new files are found by looking every intake\.rescanSeconds/,
    );
    makeClip(join(home, 'input/lanczos-2x/c/clip.mp4'), { frames: 10 });
    await says(/done in/);
    child.kill('SIGTERM');
    table.push(
      '| the inotify limit is reached | done | cannot be watched whole (ENOSPC …); new files are found by looking | 0 | - |',
    );
  },
);

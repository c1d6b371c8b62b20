import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { makeClip } from '../helpers/clips.ts';
import { DaemonWithClip } from '../helpers/daemon-with-clip.ts';
import { faultyFfmpeg } from '../helpers/faulty-ffmpeg.ts';
import { MAIN, makeHome, readLog } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { mayMount, mountTmpfs } from '../helpers/tmpfs.ts';

/** All faults take ten minutes on a busy machine; without FRAMEKILN_FAULTS=all there are one or two of each kind. */
const runsAll = process.env['FRAMEKILN_FAULTS'] === 'all';

/** For each fault: the outcome, the message, the attempts that it used, the seconds until the end of the job. */
const table: string[] = [];
afterAll(() =>
  console.log(
    ['| fault | outcome | message | attempts | s |', '| --- | --- | --- | --- | --- |', ...table].join('\n'),
  ),
);

function note(fault: string, daemon: DaemonWithClip, seconds: number): void {
  const job = daemon.job();
  const message =
    daemon.warnings().find((line) => line.includes('clip.mp4') || line.includes('worker')) ?? '';
  const attempts = daemon.warnings().filter((line) => /attempt failed|worker crashed/.test(line)).length;
  const outcome = job?.state === 'failed' ? `${job.state} ${job.errorCode ?? ''}` : (job?.state ?? 'no job');
  table.push(
    `| ${fault} | ${outcome} | ${(job?.errorMessage ?? message).replaceAll('|', '/').slice(0, 220)} | ${attempts} | ${seconds.toFixed(1)} |`,
  );
}

test('a model that hangs is detected, and its worker is restarted', { tags: ['slow'] }, async () => {
  const daemon = new DaemonWithClip({ settings: 'engine: { stallSeconds: 2 }\n' });
  daemon.points.arm('transformed-frame.before-write 15 hang');
  await daemon.waitFor(() => daemon.points.hasFired('transformed-frame.before-write'));
  const seconds = await daemon.completes();
  expect(
    daemon.hasLogged(/attempt failed: The model made no progress for 2 s and used almost no CPU time/),
  ).toBe(true);
  note('inference thread hangs (stallSeconds: 2)', daemon, seconds);
});

test.each(
  (
    [
      ['is killed by a fault in native code', 'SIGSEGV'],
      ['is aborted by a native library', 'SIGABRT'],
    ] as const
  ).slice(0, runsAll ? 2 : 1),
)('a worker that %s is restarted', { tags: ['slow'] }, async (what, signal) => {
  const daemon = new DaemonWithClip({ frames: 200 });
  await daemon.waitFor(() => daemon.job() !== null && daemon.batchCount() > 0);
  process.kill(daemon.workerPids()[0] ?? 0, signal);
  const seconds = await daemon.completes();
  expect(daemon.hasLogged(new RegExp(`worker crashed \\(signal ${signal}\\)`))).toBe(true);
  note(`the worker ${what}`, daemon, seconds);
});

test.each([
  [
    'an encoder that exits 0 with too few frames',
    ' -crf ',
    'shift_frames=5; "$real" -frames:v 5 "$@" >/dev/null 2>&1; for last; do :; done; exec "$real" -hide_banner -loglevel error -y -f lavfi -i color=s=128x96 -frames:v 5 -c:v libx264 -f mp4 "$last"',
    /The segment that starts at frame \d+ (cannot be decoded|has (\d+ frames? instead|frame \d+ at timestamp))/,
  ],
  ['an encoder that crashes', ' -crf ', 'kill -SEGV $$', /ffmpeg failed \(signal SIGSEGV\) while encoding/],
  ['a decoder that ends early', ' rawvideo pipe:1 ', 'exit 0', /ffmpeg ended before frame \d+ of 90/],
  [
    'a join that ends early',
    'file:*output*',
    'exit 0',
    /attempt failed: ffmpeg exited without an error, but the output file .* is missing or empty/,
  ],
] as const)('after %s the job is completed', { tags: ['slow'] }, async (what, when, instead, message) => {
  const path = faultyFfmpeg(temporaryFolder(), when, instead);
  const daemon = new DaemonWithClip({ path });
  const seconds = await daemon.completes();
  expect(daemon.warnings().join('\n')).toMatch(message);
  note(what, daemon, seconds);
});

test.skipIf(!mayMount())(
  'a job waits while the output folder is too small (needs the right to mount a tmpfs)',
  { tags: ['slow'] },
  async () => {
    const root = temporaryFolder();
    const { remount } = mountTmpfs(join(root, 'output'), 'size=32k');
    const daemon = new DaemonWithClip({ root });
    await daemon.waitFor(() =>
      daemon.job()?.note?.match(/clip\.mp4 needs about .* in .*, but only .* is free\./),
    );
    expect(daemon.job()).toMatchObject({ state: 'queued', attempts: 0, framesDone: 0 });
    remount('size=8m');
    daemon.endWaits();
    const seconds = await daemon.completes();
    note(
      'output/ is too small, found before the first frame (the wait of 30 s was shortened)',
      daemon,
      seconds,
    );
  },
);

test.each([
  ['vanishes', 'SOURCE_MISSING', (path: string): void => rmSync(path)],
  ['is truncated', 'SOURCE_CHANGED', (path: string): void => truncateSync(path, 5000)],
  ['is replaced', 'SOURCE_CHANGED', (path: string): void => void makeClip(path, { frames: 30 })],
] as const)('a job whose input %s fails at once with the reason', async (what, code, change) => {
  const daemon = new DaemonWithClip({ frames: 200 });
  daemon.points.arm('segment.published 2 stop');
  await daemon.waitFor(() => daemon.points.hasFired('segment.published'));
  change(join(daemon.home, 'input/lanczos-2x/clip.mp4'));
  process.kill(-(daemon.running.child.pid ?? 0), 'SIGCONT');
  const startedAt = performance.now();
  await daemon.waitFor(() => daemon.job()?.state === 'failed');
  expect(daemon.job()?.errorCode).toBe(code);
  note(`the input ${what} while its job runs`, daemon, (performance.now() - startedAt) / 1000);
});

test('a job waits while another program locks the database', { tags: ['slow'] }, async () => {
  const daemon = new DaemonWithClip({ frames: 200 });
  await daemon.waitFor(() => daemon.job() !== null && daemon.batchCount() > 0);
  const db = new SqliteDatabase(daemon.database);
  db.exec('BEGIN EXCLUSIVE');
  // Longer than the five seconds that a write waits.
  await new Promise((pass) => setTimeout(pass, 7_000));
  db.exec('ROLLBACK');
  db.close();
  await daemon.waitFor(() => daemon.job()?.state !== 'running');
  daemon.endWaits();
  const seconds = await daemon.completes();
  expect(daemon.job()?.state).toBe('done');
  expect(daemon.running.child.exitCode).toBeNull();
  note('the database is locked for 7 s (the wait of 30 s was shortened)', daemon, seconds);
});

test(
  'a worker that leaks memory is restarted after a batch, and no attempt is used',
  { tags: ['slow'] },
  async () => {
    const daemon = new DaemonWithClip({
      frames: 150,
      armed: ['segment.before-encoding 1+ leak'],
      environment: { FRAMEKILN_WORKER_MEMORY_MB: '400' },
    });
    const seconds = await daemon.completes();
    expect(daemon.hasLogged(/worker memory is \d+ MB \(limit: 400 MB\); restarting the worker/)).toBe(true);
    expect(daemon.hasLogged(/resuming from checkpoint: \d+ of \d+ frames already done/)).toBe(true);
    expect(daemon.warnings().join('\n')).not.toMatch(/attempt failed|worker crashed/);
    expect(daemon.job()?.attempts).toBeLessThanOrEqual(1);
    note('a worker that leaks 64 MB a batch (limit 400 MB)', daemon, seconds);
  },
);

test.runIf(runsAll)(
  'a worker that is stopped is killed after half a minute, and the next one resumes its job',
  async () => {
    const daemon = new DaemonWithClip({ frames: 200 });
    daemon.points.arm('segment.published 2 stop');
    await daemon.waitFor(() => daemon.points.hasFired('segment.published'));
    const startedAt = performance.now();
    await daemon.waitFor(() => daemon.hasLogged(/worker crashed \(no heartbeat for 30 s\)/));
    expect(performance.now() - startedAt).toBeLessThan(35_000);
    await daemon.completes();
    note('the worker is stopped (SIGSTOP)', daemon, (performance.now() - startedAt) / 1000);
  },
);

test.runIf(runsAll)('a worker that is stopped while it locks the database is killed as well', async () => {
  const daemon = new DaemonWithClip({ frames: 200 });
  daemon.points.arm('commit-batch.before-commit 2 stop');
  await daemon.waitFor(() => daemon.points.hasFired('commit-batch.before-commit'));
  const startedAt = performance.now();
  await daemon.waitFor(() => daemon.hasLogged(/worker crashed \(no heartbeat for 30 s\)/));
  expect(performance.now() - startedAt).toBeLessThan(45_000);
  await daemon.completes();
  expect(daemon.running.child.exitCode).toBeNull();
  note('the worker is stopped in a transaction', daemon, (performance.now() - startedAt) / 1000);
});

test.runIf(runsAll)('an ffmpeg that makes no progress for a minute is killed', async () => {
  const daemon = new DaemonWithClip({ path: faultyFfmpeg(temporaryFolder(), ' -crf ', 'exec sleep 600') });
  const seconds = await daemon.completes(120_000);
  expect(daemon.warnings().join('\n')).toMatch(/ffmpeg made no progress for 60 s while encoding/);
  note('an encoder that hangs', daemon, seconds);
});

/** Lowers the limit in a user namespace, so that the limit of the machine is not changed. */
const fewWatches = ['-U', '-r', 'sh', '-c', 'echo 2 > /proc/sys/user/max_inotify_watches; exec "$@"', 'sh'];

test.skipIf(spawnSync('unshare', [...fewWatches, 'true']).status !== 0)(
  'when the inotify limit is reached a warning says so, and new files are found by rescans',
  async () => {
    const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\n');
    for (const folder of ['a', 'b', 'c']) mkdirSync(join(home, 'input/lanczos-2x', folder));
    const child = spawn('unshare', [...fewWatches, process.execPath, MAIN, 'start', '--home', home], {
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const hasLogged = (what: RegExp) => expect.poll(() => readLog(home), { timeout: 60_000 }).toMatch(what);
    await hasLogged(
      /cannot watch \S+ \(.*ENOSPC.*\); relying on periodic scans instead \(intake\.rescanSeconds\)/,
    );
    makeClip(join(home, 'input/lanczos-2x/c/clip.mp4'), { frames: 10 });
    await hasLogged(/done in/);
    child.kill('SIGTERM');
    table.push(
      '| the inotify limit is reached | done | cannot watch all of input (ENOSPC …); new files are found by a scan | 0 | - |',
    );
  },
);

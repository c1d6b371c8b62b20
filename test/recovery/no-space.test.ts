import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { DaemonWithClip } from '../helpers/daemon-with-clip.ts';
import { faultyFfmpeg } from '../helpers/faulty-ffmpeg.ts';
import { filesBelow, readLog, resumedFrames } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { fillUp, mayMount, mountTmpfs, remount } from '../helpers/tmpfs.ts';

/** All places take four minutes; without FRAMEKILN_FAULTS=all there are a few of each kind. */
const runsAll = process.env['FRAMEKILN_FAULTS'] === 'all';

const FRAMES = 30;

const table: string[] = [];
afterAll(() =>
  console.log(
    ['| no space at | outcome | message | attempts | s |', '| --- | --- | --- | --- | --- |', ...table].join(
      '\n',
    ),
  ),
);

/** Places at which the worker writes a file, in the order of a job. */
const FILE_SITES = [
  'job-folder.before-creation',
  'frame-index.before-write',
  'frame-index.before-datasync',
  'frame-index.before-rename',
  'ram-disk.before-set-up',
  'ram-disk.set-up',
  'decoded-frames.before-write',
  'decoded-frames.written',
  'transformed-frame.before-write',
  'transformed-frame.written',
  'segment.before-encoding',
  'segment.closed',
  'segment.before-datasync',
  'segment.before-rename',
  'segment.before-folder-sync',
  'output.before-join',
  'output.joined',
  'output.before-datasync',
  'output.before-rename',
  'output.before-folder-sync',
  'report.before-write',
  'report.before-datasync',
  'report.before-rename',
] as const satisfies readonly FailPoint[];

/** Places at which the worker writes to the queue. */
const WORKER_WRITES = [
  'claim.before-write',
  'report-progress.before-write',
  'renew-lease.before-write',
  'commit-batch.before-begin',
  'commit-batch.before-commit',
  'publish-job.before-write',
  'finish-job.before-write',
] as const satisfies readonly FailPoint[];

/** Places at which the daemon writes to the queue, when it starts or while it watches. */
const DAEMON_WRITES = [
  'migration.before-commit',
  'put-seen-files.before-commit',
  'enqueue.before-commit',
] as const satisfies readonly FailPoint[];

/** Moves a complete new clip into the input folder of a running daemon. */
function addClip(daemon: DaemonWithClip, name: string, hue: number): void {
  const made = join(daemon.home, `${name}.mp4`);
  makeClip(made, { frames: FRAMES, filter: `hue=h=${hue}` });
  renameSync(made, join(daemon.home, 'input/lanczos-2x', `${name}.mp4`));
}

/** Waits until the job is done, without its waits for space. @returns the seconds that took */
async function completes(daemon: DaemonWithClip, id: number, name: string): Promise<number> {
  const startedAt = performance.now();
  await daemon.waitFor(() => {
    const job = daemon.job(id);
    if (job?.state === 'queued' && job.notBeforeAtMs !== null) daemon.endWaits();
    return job?.state === 'done' || job?.state === 'failed';
  }, 30_000);
  const job = daemon.job(id);
  expect(job?.state).toBe('done');
  // Attempts are counted since the last committed batch.
  expect(job?.attempts).toBeLessThanOrEqual(1);
  expect(frameMd5(join(daemon.home, `output/lanczos-2x/${name}.mp4`))).toHaveLength(FRAMES);
  expect(filesBelow(join(daemon.home, 'output')).filter((path) => path.includes('.framekiln-'))).toEqual([]);
  return (performance.now() - startedAt) / 1000;
}

function note(site: string, daemon: DaemonWithClip, since: number, seconds: number): void {
  const warnings = daemon.warnings().slice(since);
  const attempts = warnings.filter((line) => /attempt failed|worker crashed/.test(line)).length;
  table.push(
    `| ${site} | done | ${(warnings[0] ?? '-').slice(0, 160)} | ${attempts} | ${seconds.toFixed(1)} |`,
  );
}

/** Runs one daemon and a clip for each place: every worker reaches the place for the first time. */
async function atEach(sites: readonly FailPoint[], code: string): Promise<void> {
  const daemon = new DaemonWithClip({ frames: FRAMES });
  await daemon.waitFor(() => daemon.job()?.state === 'done');
  let id = 1;
  for (const [i, site] of sites.entries()) {
    await daemon.waitFor(() => daemon.workerPids().length === 0);
    const since = daemon.warnings().length;
    daemon.points.arm(`${site} 1 ${code}`);
    addClip(daemon, `clip-${i}`, i + 1);
    await daemon.waitFor(() => daemon.job(id + 1) !== null);
    const seconds = await completes(daemon, ++id, `clip-${i}`);
    expect(daemon.points.hasFired(site), site).toBe(true);
    note(site, daemon, since, seconds);
    const warnings = daemon.warnings().slice(since).join('\n');
    expect(warnings, site).not.toMatch(/attempt failed|worker crashed/);
  }
  expect(daemon.running.child.exitCode).toBeNull();
}

test(
  'when there is no space for a file the job waits, uses no attempt, and resumes',
  { tags: ['slow'] },
  async () => {
    await atEach(runsAll ? FILE_SITES : ['frame-index.before-write', 'output.before-rename'], 'ENOSPC');
  },
);

test(
  'when a quota is used up the job waits as for a full disk, also if ffmpeg finds it',
  { tags: ['slow'] },
  async () => {
    await atEach(['transformed-frame.before-write', 'output.before-rename'], 'EDQUOT');
    const says = 'echo "Error writing trailer of x: Disk quota exceeded" >&2; exit 1';
    const daemon = new DaemonWithClip({
      frames: FRAMES,
      path: faultyFfmpeg(temporaryFolder(), '/output/lanczos-2x/.framekiln-', says),
    });
    await completes(daemon, 1, 'clip');
    expect(daemon.warnings().join('\n')).toMatch(/or in the quota.* without using an attempt/);
  },
);

test(
  'when a worker has no space to write to the queue the job waits, uses no attempt, and resumes',
  { tags: ['slow'] },
  async () => {
    await atEach(
      runsAll ? WORKER_WRITES : ['claim.before-write', 'commit-batch.before-commit'],
      'SQLITE_FULL',
    );
  },
);

test(
  'when there is no space to record the wait the job is held until there is some',
  { tags: ['slow'] },
  async () => {
    const daemon = new DaemonWithClip({ frames: FRAMES });
    daemon.points.arm('segment.before-rename 1 ENOSPC', 'release-lease.before-write 1 SQLITE_FULL');
    const seconds = await completes(daemon, 1, 'clip');
    expect(daemon.points.hasFired('release-lease.before-write')).toBe(true);
    note('segment.before-rename, then release-lease.before-write', daemon, 0, seconds);
    expect(daemon.warnings().join('\n')).not.toMatch(/attempt failed|worker crashed/);
  },
);

test.each(runsAll ? DAEMON_WRITES : (['put-seen-files.before-commit', 'enqueue.before-commit'] as const))(
  'when the daemon has no space at %s it continues, and queues the file when there is some',
  { tags: ['slow'] },
  async (site) => {
    const daemon = new DaemonWithClip({ frames: FRAMES, armed: [`${site} 1 SQLITE_FULL`] });
    const seconds = await completes(daemon, 1, 'clip');
    expect(daemon.points.hasFired(site)).toBe(true);
    note(site, daemon, 0, seconds);
    expect(daemon.running.child.exitCode).toBeNull();
  },
);

const withMounts = test.skipIf(!mayMount());

withMounts(
  'a job resumes when a full disk with the queue and the segments has space again (needs the right to mount a tmpfs)',
  async () => {
    const root = temporaryFolder();
    const state = join(root, '.framekiln');
    mountTmpfs(state, 'size=16m');
    const daemon = new DaemonWithClip({ frames: 90, root, armed: ['segment.published 2 stop'] });
    await daemon.waitFor(() => daemon.points.hasFired('segment.published'));
    const committed = daemon.batchCount();
    const empty = fillUp(state);
    daemon.resumeProcesses();
    await daemon.waitFor(() =>
      daemon.hasLogged(/no (disk )?space left|cannot (be written|write|scan|open)|cannot use/i),
    );
    await daemon.waitFor(
      () =>
        daemon.workerPids().length === 0 ||
        daemon.hasLogged(/tried again until it can|cannot write to the queue/),
    );
    expect(daemon.running.child.exitCode).toBeNull();
    empty();
    const seconds = await completesWithoutAttempt(daemon);
    // Batches of 10, 20, 20 … frames.
    expect(resumedFrames(readLog(daemon.home))).toBeGreaterThanOrEqual(20 * committed - 10);
    note('a real tmpfs with the queue and the segments', daemon, 0, seconds);
  },
);

withMounts(
  'a job completes while another program fills the RAM disk (needs the right to mount a tmpfs)',
  { tags: ['slow'] },
  async () => {
    const daemon = new DaemonWithClip({ frames: 90, armed: ['segment.published 2 stop'] });
    await daemon.waitFor(() => daemon.points.hasFired('segment.published'));
    const ram = join(daemon.home, '.framekiln/ram');
    if (!existsSync(ram)) throw new Error('There is no RAM disk of its own.');
    const disk = join(ram, readdirSync(ram)[0] ?? '');
    remount(disk, 'size=4m');
    fillUp(disk);
    daemon.resumeProcesses();
    const seconds = await completesWithoutAttempt(daemon);
    note('a real RAM disk, to the end', daemon, 0, seconds);
  },
);

/** Waits until the job is done, without its waits for space, and expects that it used no attempt. */
async function completesWithoutAttempt(daemon: DaemonWithClip): Promise<number> {
  const startedAt = performance.now();
  await daemon.waitFor(() => {
    const job = daemon.job();
    if (job?.state === 'queued' && job.notBeforeAtMs !== null) daemon.endWaits();
    return job?.state === 'done' || job?.state === 'failed';
  }, 60_000);
  expect(daemon.warnings().join('\n')).not.toMatch(/attempt failed|worker crashed/);
  await daemon.completes();
  return (performance.now() - startedAt) / 1000;
}

import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { Patient } from '../helpers/faults.ts';
import { filesBelow, readLog, resumedFrames } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { fillUp, mayMount, mountTmpfs, remount } from '../helpers/tmpfs.ts';

/** Every site on every change takes four minutes: a few of each kind, and all with FRAMEKILN_FAULTS=all. */
const isWhole = process.env['FRAMEKILN_FAULTS'] === 'all';

const FRAMES = 30;

const table: string[] = [];
afterAll(() =>
  console.log(
    ['| no space at | outcome | message | tries | s |', '| --- | --- | --- | --- | --- |', ...table].join(
      '\n',
    ),
  ),
);

/** Places of the worker at which a file is written, in a job's order. */
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

/** Places at which the queue is written by the worker. */
const WORKER_WRITES = [
  'claim.before-write',
  'report-progress.before-write',
  'renew-lease.before-write',
  'commit-batch.before-begin',
  'commit-batch.before-commit',
  'publish-job.before-write',
  'finish-job.before-write',
] as const satisfies readonly FailPoint[];

/** By the daemon, when it starts or while it watches. */
const DAEMON_WRITES = [
  'migration.before-commit',
  'sweep-leases.before-commit',
  'put-seen-files.before-commit',
  'enqueue.before-commit',
] as const satisfies readonly FailPoint[];

/** A new clip for a daemon that is at work, whole from the first look. */
function drop(patient: Patient, name: string, hue: number): void {
  const made = join(patient.home, `${name}.mp4`);
  makeClip(made, { frames: FRAMES, filter: `hue=h=${hue}` });
  renameSync(made, join(patient.home, 'input/lanczos-2x', `${name}.mp4`));
}

/** Waits for the job's good end; what waits has waited. @returns seconds */
async function goesOn(patient: Patient, id: number, name: string): Promise<number> {
  const asked = performance.now();
  await patient.until(() => {
    const job = patient.job(id);
    if (job?.state === 'queued' && job.notBeforeAtMs !== null) patient.backdate();
    return job?.state === 'done' || job?.state === 'failed';
  }, 30_000);
  const job = patient.job(id);
  expect(job?.state).toBe('done');
  // Counted since the last committed batch.
  expect(job?.attempts).toBeLessThanOrEqual(1);
  expect(frameMd5(join(patient.home, `output/lanczos-2x/${name}.mp4`))).toHaveLength(FRAMES);
  expect(filesBelow(join(patient.home, 'output')).filter((path) => path.includes('.framekiln-'))).toEqual([]);
  return (performance.now() - asked) / 1000;
}

function note(site: string, patient: Patient, since: number, seconds: number): void {
  const said = patient.complaints().slice(since);
  const tries = said.filter((line) => /attempt failed|the worker died/.test(line)).length;
  table.push(`| ${site} | done | ${(said[0] ?? '-').slice(0, 160)} | ${tries} | ${seconds.toFixed(1)} |`);
}

/** One daemon, a clip a site: each worker that starts meets the site for the first time. */
async function atEach(sites: readonly FailPoint[], code: string): Promise<void> {
  const patient = new Patient({ frames: FRAMES });
  await patient.until(() => patient.job()?.state === 'done');
  let id = 1;
  for (const [i, site] of sites.entries()) {
    await patient.until(() => patient.workers().length === 0);
    const since = patient.complaints().length;
    patient.points.arm(`${site} 1 ${code}`);
    drop(patient, `clip-${i}`, i + 1);
    await patient.until(() => patient.job(id + 1) !== null);
    const seconds = await goesOn(patient, ++id, `clip-${i}`);
    expect(patient.points.hasFired(site), site).toBe(true);
    note(site, patient, since, seconds);
    const said = patient.complaints().slice(since).join('\n');
    expect(said, site).not.toMatch(/attempt failed|the worker died/);
  }
  expect(patient.running.child.exitCode).toBeNull();
}

test('no space for a file, at every place: the job waits, uses no try, and goes on', async () => {
  await atEach(isWhole ? FILE_SITES : ['frame-index.before-write', 'output.before-rename'], 'ENOSPC');
});

test('no space for the queue, at every place where a worker writes it', async () => {
  await atEach(isWhole ? WORKER_WRITES : ['claim.before-write', 'commit-batch.before-commit'], 'SQLITE_FULL');
});

test('no space to write down that there is no space: the job is held until there is some', async () => {
  const patient = new Patient({ frames: FRAMES });
  patient.points.arm('segment.before-rename 1 ENOSPC', 'release-lease.before-write 1 SQLITE_FULL');
  const seconds = await goesOn(patient, 1, 'clip');
  expect(patient.points.hasFired('release-lease.before-write')).toBe(true);
  note('segment.before-rename, then release-lease.before-write', patient, 0, seconds);
  expect(patient.complaints().join('\n')).not.toMatch(/attempt failed|the worker died/);
});

test.each(isWhole ? DAEMON_WRITES : (['put-seen-files.before-commit', 'enqueue.before-commit'] as const))(
  'no space at %s: the daemon goes on, and takes the file when there is some',
  async (site) => {
    const patient = new Patient({ frames: FRAMES, armed: [`${site} 1 SQLITE_FULL`] });
    const seconds = await goesOn(patient, 1, 'clip');
    expect(patient.points.hasFired(site)).toBe(true);
    note(site, patient, 0, seconds);
    expect(patient.running.child.exitCode).toBeNull();
  },
);

const withMounts = test.skipIf(!mayMount());

withMounts('the disk of the queue and the segments is really full, and emptied again', async () => {
  const root = temporaryFolder();
  const state = join(root, '.framekiln');
  mountTmpfs(state, 'size=16m');
  const patient = new Patient({ frames: 90, root, armed: ['segment.published 2 stop'] });
  await patient.until(() => patient.points.hasFired('segment.published'));
  const committed = patient.batches();
  const empty = fillUp(state);
  patient.wake();
  await patient.until(() =>
    patient.says(/No space left|no space left|cannot be written|cannot write|could not be used/),
  );
  await patient.until(() => patient.workers().length === 0 || patient.says(/; retrying/));
  expect(patient.running.child.exitCode).toBeNull();
  empty();
  const seconds = await whole(patient);
  // Batches of 10, 20, 20 … frames.
  expect(resumedFrames(readLog(patient.home))).toBeGreaterThanOrEqual(20 * committed - 10);
  note('a real tmpfs with the queue and the segments', patient, 0, seconds);
});

withMounts('the RAM disk is really full, of another program, and stays so', async () => {
  const patient = new Patient({ frames: 90, armed: ['segment.published 2 stop'] });
  await patient.until(() => patient.points.hasFired('segment.published'));
  const ram = join(patient.home, '.framekiln/ram');
  if (!existsSync(ram)) throw new Error('There is no RAM disk of its own.');
  const disk = join(ram, readdirSync(ram)[0] ?? '');
  remount(disk, 'size=4m');
  fillUp(disk);
  patient.wake();
  const seconds = await whole(patient);
  note('a real RAM disk, to the end', patient, 0, seconds);
});

/** As `isDone`, with every wait cut short, and no try used. */
async function whole(patient: Patient): Promise<number> {
  const asked = performance.now();
  await patient.until(() => {
    const job = patient.job();
    if (job?.state === 'queued' && job.notBeforeAtMs !== null) patient.backdate();
    return job?.state === 'done' || job?.state === 'failed';
  }, 60_000);
  expect(patient.complaints().join('\n')).not.toMatch(/attempt failed|the worker died/);
  await patient.isDone();
  return (performance.now() - asked) / 1000;
}

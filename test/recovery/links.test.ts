import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { DaemonWithClip } from '../helpers/daemon-with-clip.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { endWaits } from '../helpers/end-waits.ts';
import { filesBelow, makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { mayMount, mountTmpfs } from '../helpers/tmpfs.ts';

/** Files that Framekiln did not write, some with names like those of jobs and RAM disks. */
const FOREIGN = [
  'holiday.jpg',
  '2024/beach.jpg',
  '2025/segments/b.txt',
  '1/readme.txt',
  '2024.12/private.jpg',
  'notes/.hidden',
  'stamp.json',
];

function folderOfSomebody(path: string): void {
  for (const file of FOREIGN) {
    mkdirSync(join(path, file, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(join(path, file), 'theirs');
  }
  mkdirSync(join(path, '2023'));
}

function foreignFilesIn(path: string): string[] {
  return filesBelow(path).filter((file) => FOREIGN.includes(file));
}

test.each(['folder', 'auto'])(
  'jobs, frames and ram as links to a folder with other files: none of those is deleted (workspace.kind: %s)',
  { tags: ['slow'] },
  async (kind) => {
    const elsewhere = join(temporaryFolder(), 'big-disk');
    folderOfSomebody(elsewhere);
    rmSync(join(elsewhere, '1'), { recursive: true });
    const home = temporaryFolder();
    mkdirSync(join(home, '.framekiln'));
    for (const name of ['jobs', 'frames', 'ram']) symlinkSync(elsewhere, join(home, '.framekiln', name));
    makeHome(
      home,
      `intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 10, frames: 20 }\nworkspace: { memoryFraction: 0.05, kind: ${kind} }\n`,
    );
    makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 30 });
    const expected = FOREIGN.filter((file) => !file.startsWith('1/')).sort();
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(foreignFilesIn(elsewhere).sort()).toEqual(expected);
    // A cancelled job, and a stop in the middle of a job.
    makeClip(join(home, 'input/lanczos-2x/long.mp4'), { frames: 900 });
    const daemon = start(['start', '--home', home]);
    await expect
      .poll(() => existsSync(join(elsewhere, '2/segments')), { timeout: 30_000, interval: 20 })
      .toBe(true);
    expect(run(['cancel', '2', '--home', home]).status).toBe(0);
    await expect.poll(() => existsSync(join(elsewhere, '2')), { timeout: 10_000, interval: 20 }).toBe(false);
    daemon.child.kill('SIGTERM');
    await daemon.ended;
    expect(filesBelow(elsewhere).sort()).toEqual(expected);
    expect(readdirSync(elsewhere)).toContain('2023');
    for (const name of ['jobs', 'frames', 'ram'])
      expect(lstatSync(join(home, '.framekiln', name)).isSymbolicLink()).toBe(true);
  },
);

test('a job waits while another folder has the name of its folder', { tags: ['slow'] }, async () => {
  const elsewhere = join(temporaryFolder(), 'big-disk');
  folderOfSomebody(elsewhere);
  const root = temporaryFolder();
  mkdirSync(join(root, '.framekiln'));
  symlinkSync(elsewhere, join(root, '.framekiln/jobs'));
  const daemon = new DaemonWithClip({ root, frames: 10 });
  await daemon.waitFor(() => daemon.job()?.note?.includes('does not belong to this Framekiln home'));
  expect(daemon.job()).toMatchObject({ state: 'queued', attempts: 0 });
  expect(foreignFilesIn(elsewhere)).toHaveLength(FOREIGN.length);
  renameSync(join(elsewhere, '1'), join(elsewhere, 'one'));
  daemon.endWaits();
  await daemon.completes();
});

/** A home whose folder is a link to a disk that a test can take away. */
function linkedHome(name: 'input' | 'output' | 'jobs') {
  const root = temporaryFolder();
  const disk = join(temporaryFolder(), 'disk');
  mkdirSync(join(disk, 'videos'), { recursive: true });
  mkdirSync(join(root, '.framekiln'));
  symlinkSync(join(disk, 'videos'), join(root, name === 'jobs' ? '.framekiln/jobs' : name));
  return {
    root,
    disk,
    unplug: () => renameSync(disk, `${disk}-away`),
    plugIn: () => {
      // Nothing was made in place of the disk.
      expect(existsSync(disk)).toBe(false);
      renameSync(`${disk}-away`, disk);
    },
  };
}

test.each(['input', 'output', 'jobs'] as const)(
  'a job resumes without a command when the disk of %s/, which was taken away while it ran, is back',
  { tags: ['slow'] },
  async (name) => {
    const { root, unplug, plugIn } = linkedHome(name);
    const daemon = new DaemonWithClip({
      root,
      frames: 90,
      armed: ['commit-batch.committed 2 stop'],
    });
    await daemon.waitFor(() => daemon.points.hasFired('commit-batch.committed'));
    unplug();
    daemon.resumeProcesses();
    await daemon.waitFor(() => daemon.job()?.note?.includes('waiting: '));
    expect(daemon.job()).toMatchObject({ state: 'queued', attempts: 0 });
    expect(run(['status', '--home', root]).stdout).toMatch(/waiting: .*is missing/);
    plugIn();
    daemon.endWaits();
    await daemon.completes();
    expect(daemon.warnings().join('\n')).not.toMatch(/ {4}at |SOURCE_MISSING/);
  },
);

test.each(['input', 'output', 'jobs'] as const)(
  'a daemon that starts without the disk of %s/ waits for it, and creates nothing in its place',
  { tags: ['slow'] },
  async (name) => {
    const { root, disk, unplug, plugIn } = linkedHome(name);
    const daemon = new DaemonWithClip({ root, frames: 40, armed: ['commit-batch.committed 1 kill-group'] });
    await daemon.running.ended;
    unplug();
    daemon.running = start(['start', '--home', root]);
    await daemon.waitFor(() => daemon.job()?.note?.includes('waiting: '));
    expect(daemon.job()).toMatchObject({ state: 'queued', attempts: 0 });
    expect(daemon.running.child.exitCode).toBeNull();
    expect(existsSync(disk)).toBe(false);
    plugIn();
    daemon.endWaits();
    await daemon.completes();
    expect(daemon.warnings().join('\n')).not.toMatch(/ {4}at /);
  },
);

test(
  'a new file is found at once in an input/ that is a link, and after its disk was away',
  { tags: ['slow'] },
  async () => {
    const { root, unplug, plugIn } = linkedHome('input');
    const home = makeHome(root, 'intake: { settleSeconds: 0.2, rescanSeconds: 5 }\n');
    const daemon = start(['start', '--home', home]);
    const hasLogged = (what: RegExp) =>
      expect.poll(() => readLog(home), { timeout: 30_000, interval: 50 }).toMatch(what);
    await hasLogged(/is watching/);
    unplug();
    await hasLogged(/cannot scan the input folder: .*input is missing/);
    plugIn();
    makeClip(join(home, 'input/lanczos-2x/a.mp4'), { frames: 10 });
    await hasLogged(/a\.mp4 queued as job/);
    daemon.child.kill('SIGTERM');
    await daemon.ended;
  },
);

test.runIf(mayMount())(
  'a job does not write into the empty mount point of output/, and waits (needs the right to mount a tmpfs)',
  async () => {
    const root = temporaryFolder();
    const output = join(root, 'output');
    const disk = temporaryFolder();
    mountTmpfs(disk, 'size=50m');
    mkdirSync(output);
    const mount = () => void execFileSync('mount', ['--bind', disk, output]);
    mount();
    const daemon = new DaemonWithClip({ root, frames: 60, armed: ['commit-batch.committed 1 stop'] });
    await daemon.waitFor(() => daemon.points.hasFired('commit-batch.committed'));
    execFileSync('umount', ['--lazy', output]);
    daemon.resumeProcesses();
    await daemon.waitFor(() => daemon.job()?.note?.includes('waiting: '));
    expect(readdirSync(output)).toEqual([]);
    mount();
    daemon.endWaits();
    await daemon.completes();
  },
);

test(
  'a job whose source was missing for a while is queued again when the file is back',
  { tags: ['slow'] },
  async () => {
    const daemon = new DaemonWithClip({
      frames: 10,
      armed: ['claim.written 1 stop'],
      settings: 'attempts: 1\n',
    });
    const source = join(daemon.home, 'input/lanczos-2x/clip.mp4');
    await daemon.waitFor(() => daemon.points.hasFired('claim.written'));
    // Away and back between two scans: the daemon, which is stopped with its worker, cannot see it.
    renameSync(source, `${daemon.home}/aside.mp4`);
    daemon.resumeProcesses();
    await daemon.waitFor(() => daemon.job()?.errorCode === 'SOURCE_MISSING');
    renameSync(`${daemon.home}/aside.mp4`, source);
    await daemon.completes();
  },
);

test(
  'an added file outside input/ waits for its folder, and is queued again when the file is back',
  { tags: ['slow'] },
  async () => {
    const folder = join(temporaryFolder(), 'usb');
    mkdirSync(folder);
    const clip = join(folder, 'clip.mp4');
    makeClip(clip, { frames: 10 });
    const home = makeHome(temporaryFolder());
    start(['start', '--home', home]);
    await expect.poll(() => readLog(home), { timeout: 30_000 }).toMatch(/is watching/);
    const job = () => {
      const queue = openQueue(join(home, '.framekiln/framekiln.db'));
      try {
        return queue.jobs.getJob(1);
      } finally {
        queue.close();
      }
    };
    run(['pause', '--home', home]);
    run(['add', clip, '--model', 'lanczos', '--scale', '2', '--home', home]);
    renameSync(folder, `${folder}-away`);
    run(['resume', '--home', home]);
    await expect.poll(() => job()?.note ?? '', { timeout: 30_000 }).toMatch(/waiting: .*usb is missing/);
    expect(job()).toMatchObject({ state: 'queued', attempts: 0 });
    // The folder is back without the file.
    mkdirSync(folder);
    endWaits(home);
    await expect.poll(() => job()?.errorCode, { timeout: 60_000 }).toBe('SOURCE_MISSING');
    renameSync(`${folder}-away/clip.mp4`, clip);
    await expect.poll(() => job()?.state, { timeout: 90_000 }).toBe('done');
    expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(10);
  },
);

describe('without the disk of a linked folder', () => {
  const settings =
    'intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 10, frames: 20 }\nworkspace: { memoryFraction: 0.05 }\n';

  test.each(['input', 'output'] as const)(
    '--once ends with code 3 and names %s/ once nothing else is left to do, and ends the work when the disk is back',
    { tags: ['slow'], timeout: 60_000 },
    (name) => {
      const { root, disk, unplug, plugIn } = linkedHome(name);
      const home = makeHome(root, settings);
      makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 10 });
      unplug();
      const { status, stdout, stderr } = run(['start', '--once', '--home', home], {}, 30_000);
      expect(status, stdout + stderr).toBe(3);
      expect(stdout + stderr).toMatch(
        new RegExp(
          `cannot process the rest: .*/${name} is missing .*; reconnect its disk or correct the link`,
        ),
      );
      expect(existsSync(disk)).toBe(false);
      plugIn();
      endWaits(home);
      expect(run(['start', '--once', '--home', home]).status).toBe(0);
      expect(frameMd5(join(home, 'output/lanczos-2x/clip.mp4'))).toHaveLength(10);
    },
  );

  test(
    'run ends with code 3 and names output/, and resumes when the disk is back',
    { tags: ['slow'], timeout: 60_000 },
    () => {
      const { root, unplug, plugIn } = linkedHome('output');
      const home = makeHome(root, settings);
      const clip = makeClip(join(temporaryFolder(), 'clip.mp4'), { frames: 10 });
      const runClip = () =>
        run(['run', clip, '--model', 'lanczos', '--skip-checks', '--home', home], {}, 30_000);
      unplug();
      const { status, stderr } = runClip();
      expect(status, stderr).toBe(3);
      expect(stderr).toMatch(
        /output is missing .*connect its disk.*\n.*run the same command again to resume/,
      );
      plugIn();
      expect(runClip().status).toBe(0);
      expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(10);
    },
  );

  test(
    'a daemon that has lost its database knows which videos are done',
    { tags: ['slow'], timeout: 180_000 },
    () => {
      const { root, unplug, plugIn } = linkedHome('output');
      const home = makeHome(root, settings);
      makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 10 });
      const once = () => run(['start', '--once', '--home', home]).status;
      expect(once()).toBe(0);
      for (const end of ['', '-wal', '-shm'])
        rmSync(join(home, `.framekiln/framekiln.db${end}`), { force: true });
      unplug();
      expect(once()).toBe(0);
      expect(readLog(home)).toMatch(/restored 1 finished job from its report$/m);
      plugIn();
      expect(once()).toBe(0);
      expect(readLog(home).match(/queued as job/g)).toHaveLength(1);
      expect(filesBelow(join(root, 'output/lanczos-2x'))).toEqual(['clip.mp4']);
      // The output is recognised as one that this home wrote.
      run(['retry', '1', '--home', home]);
      expect(once()).toBe(0);
      expect(filesBelow(join(root, 'output/lanczos-2x'))).toEqual(['clip.mp4']);
    },
  );
});

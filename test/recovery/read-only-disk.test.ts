import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DaemonWithClip } from '../helpers/daemon-with-clip.ts';
import { readLog, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { mayMount, mountTmpfs } from '../helpers/tmpfs.ts';

/** Lets a folder appear read-only to whoever opens a file in it from now on. @returns a function that ends this */
function turnReadOnly(folder: string): () => void {
  const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'pipe' });
  mount('--bind', folder, folder);
  mount('-o', 'remount,bind,ro', folder);
  let isMounted = true;
  const end = (): void => {
    if (isMounted) execFileSync('umount', ['--lazy', folder]);
    isMounted = false;
  };
  onTestFinished(end);
  return end;
}

test.skipIf(!mayMount())(
  'work pauses while output/ is read-only, says why, and resumes by itself (needs the right to mount)',
  { tags: ['slow'] },
  async () => {
    const root = temporaryFolder();
    const { remount } = mountTmpfs(join(root, 'output'), 'size=8m,ro');
    const daemon = new DaemonWithClip({ root });
    await daemon.waitFor(() =>
      daemon.hasLogged(/WARN .*paused: \S+\/output is on a read-only file system; check the disk/),
    );
    expect(run(['status', '--home', daemon.home]).stdout).toMatch(/paused: \S+\/output is on a read-only/);
    expect(daemon.job()).toMatchObject({ state: 'queued', attempts: 0, framesDone: 0 });
    remount('rw');
    await daemon.completes();
    expect(daemon.hasLogged(/resuming; was paused: \S+\/output is on a read-only file system(?!;)/)).toBe(
      true,
    );
  },
);

test.skipIf(!mayMount())(
  'work pauses while the folder of segments is read-only, and no attempt is lost (needs the right to mount)',
  { tags: ['slow'] },
  async () => {
    const daemon = new DaemonWithClip({ frames: 200 });
    await daemon.waitFor(() => daemon.job() !== null && daemon.batchCount() > 0);
    const end = turnReadOnly(join(daemon.home, '.framekiln/jobs'));
    // A worker that was faster than the daemon's check lets the job wait for half a minute.
    await daemon.waitFor(() => {
      if (daemon.job()?.notBeforeAtMs != null) daemon.endWaits();
      return daemon.hasLogged(/paused: \S+\/jobs is on a read-only file system/);
    });
    await daemon.waitFor(() => daemon.workerPids().length === 0);
    end();
    daemon.endWaits();
    await daemon.completes();
    expect(daemon.job()?.attempts).toBeLessThanOrEqual(1);
    expect(readLog(daemon.home)).not.toMatch(/worker crashed|attempt failed/);
  },
);

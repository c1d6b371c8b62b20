import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { DaemonWithClip } from '../helpers/daemon-with-clip.ts';
import { mayMountExfat, mountExfat } from '../helpers/exfat.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/* A network share or another disk that does not answer for a while (promise 40). */

const FRAMES = 30;

async function waitsAndCompletes(daemon: DaemonWithClip): Promise<void> {
  await daemon.waitFor(() => daemon.job()?.note?.includes('does not answer') ?? false, 30_000);
  expect(daemon.job()).toMatchObject({ state: 'queued', attempts: 0 });
  daemon.endWaits();
  await daemon.waitFor(() => daemon.job()?.state === 'done', 30_000);
  expect(frameMd5(daemon.output)).toHaveLength(FRAMES);
  expect(daemon.warnings().join('\n')).not.toMatch(/attempt failed|worker crashed| {4}at /);
}

test.each(['ESTALE', 'ENOTCONN', 'EHOSTDOWN', 'ETIMEDOUT'])(
  'a job that gets %s waits, uses no attempt, and resumes',
  { tags: ['slow'], timeout: 90_000 },
  async (code) => {
    await waitsAndCompletes(
      new DaemonWithClip({ frames: FRAMES, armed: [`output.before-rename 1 ${code}`] }),
    );
  },
);

test.runIf(mayMountExfat())(
  'a job with an output that is not on a local disk waits after EIO (needs exFAT mounts)',
  async () => {
    const root = temporaryFolder();
    const share = join(temporaryFolder(), 'share');
    mountExfat(temporaryFolder(), share);
    symlinkSync(share, join(root, 'output'));
    await waitsAndCompletes(
      new DaemonWithClip({ root, frames: FRAMES, armed: ['output.before-rename 1 EIO'] }),
    );
  },
  90_000,
);

test(
  'a file in input/ that cannot be read for a moment is queued later',
  { tags: ['slow'], timeout: 90_000 },
  async () => {
    const daemon = new DaemonWithClip({ frames: FRAMES });
    await daemon.waitFor(() => daemon.job()?.state === 'done');
    daemon.points.arm('enqueue.before-begin 2 ESTALE');
    const clip = makeClip(join(temporaryFolder(), 'b.mp4'), { frames: 10, audio: false });
    mkdirSync(join(daemon.home, 'input/lanczos-2x'), { recursive: true });
    renameSync(clip, join(daemon.home, 'input/lanczos-2x/b.mp4'));
    await daemon.waitFor(() => daemon.job(2)?.state === 'done', 60_000);
    expect(daemon.points.hasFired('enqueue.before-begin')).toBe(true);
    expect(daemon.warnings().join('\n')).not.toMatch(/cannot be queued|rejected/);
  },
);

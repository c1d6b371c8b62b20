import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { SeenFile } from '../../src/domain/seen-file.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { makeClip } from '../helpers/clips.ts';
import { DaemonWithClip } from '../helpers/daemon-with-clip.ts';
import { makeHome, readLog, start } from '../helpers/framekiln.ts';
import { movableClock } from '../helpers/movable-clock.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const HOUR_MS = 3_600_000;

const FRAMES = 200;

/** All warnings and errors, except those about a missing RAM disk. */
function warningsOf(daemon: DaemonWithClip): string[] {
  return daemon.warnings().filter((line) => !line.includes('RAM disk'));
}

test(
  'a job is not affected when the system clock jumps hours ahead and days back',
  { tags: ['slow'] },
  async () => {
    const clock = movableClock(temporaryFolder());
    const daemon = new DaemonWithClip({
      frames: FRAMES,
      armed: ['segment.published 2 stop'],
      environment: clock.environment,
    });
    for (const offsetMs of [9 * HOUR_MS, -72 * HOUR_MS]) {
      await daemon.waitFor(() => daemon.points.hasFired('segment.published'));
      const before = daemon.batchCount();
      clock.set(offsetMs);
      // Again three batches later.
      daemon.points.arm(...(offsetMs > 0 ? (['segment.published 5 stop'] as const) : []));
      daemon.resumeProcesses();
      await daemon.waitFor(() => daemon.batchCount() > before + 1);
      const { etaAtMs = null } = daemon.job() ?? {};
      const aheadMs = etaAtMs === null ? null : etaAtMs - offsetMs - Date.now();
      if (aheadMs !== null) expect(Math.abs(aheadMs)).toBeLessThan(600_000);
    }
    await daemon.completes();
    expect(warningsOf(daemon)).toEqual([]);
    expect(daemon.points.count('transformed-frame.written')).toBe(FRAMES);
  },
);

test('a file that has just appeared is not taken because the system clock jumps ahead', async () => {
  const clock = movableClock(temporaryFolder());
  const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 3600, rescanSeconds: 1 }\n');
  start(['start', '--home', home], clock.environment);
  await vi.waitFor(() => expect(readLog(home)).toContain('is watching'), { timeout: 20_000, interval: 100 });
  const isSeen = async (name: string): Promise<void> => {
    makeClip(join(home, 'input', name), { frames: 2 });
    await vi.waitFor(
      () => expect(queueOf(home).files.map(({ path }) => path)).toContainEqual(expect.stringMatching(name)),
      { timeout: 20_000, interval: 100 },
    );
  };
  await isSeen('first.mp4');
  clock.set(9 * HOUR_MS);
  await isSeen('second.mp4');
  // The scan that finds this one comes after a whole scan at the new time.
  await isSeen('third.mp4');
  expect(queueOf(home)).toMatchObject({ jobs: 0, files: Array(3).fill({ state: 'settling' }) });
});

function queueOf(home: string): { readonly jobs: number; readonly files: readonly SeenFile[] } {
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  try {
    return { jobs: queue.jobs.listJobs().length, files: queue.seenFiles.list() };
  } finally {
    queue.close();
  }
}

test.runIf(process.env['FRAMEKILN_FAULTS'] === 'all')(
  'processes that are all stopped for longer than the lease and every watchdog allow resume where they were',
  async () => {
    const daemon = new DaemonWithClip({ frames: FRAMES });
    await daemon.waitFor(() => daemon.job() !== null && daemon.batchCount() > 0);
    const group = -(daemon.running.child.pid ?? 0);
    process.kill(group, 'SIGSTOP');
    // Longer than the lease and the time-outs for a silent worker, ffmpeg and model.
    await new Promise((pass) => setTimeout(pass, 70_000));
    process.kill(group, 'SIGCONT');
    await daemon.completes();
    expect(warningsOf(daemon)).toEqual([]);
    expect(daemon.points.count('transformed-frame.written')).toBe(FRAMES);
  },
);

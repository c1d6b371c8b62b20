import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { homeAt } from '../../../src/config/home.ts';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { StatusReader } from '../../../src/control/read-status.ts';
import { LiveState } from '../../../src/page/live-state.ts';
import { writeSpeeds } from '../../../src/trial/speeds-file.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { ALICE, LEASE_MS, newBatch, newJob, testQueue, VIDEO } from '../queue/queue-fixture.ts';

/** The state of a page whose clock stands still, so that nothing is read again because time has passed. */
function livePage() {
  const home = homeAt(temporaryFolder());
  mkdirSync(home.stateDir);
  const queue = testQueue(join(home.stateDir, 'framekiln.db'));
  const now = (): number => 0;
  const status = new StatusReader({
    ...{ home, queue, now },
    settings: () => SAFE_DEFAULTS,
    isDaemonRunning: () => true,
  });
  const live = new LiveState({
    ...{ queue, status, outputDir: home.root, log: silentLogger },
    alerts: () => [],
    steadyNow: now,
  });
  const queueTime = async () => (await live.read()).queueTime;
  return { home, queue, queueTime };
}

test('the time of the queue follows a change of the queue, a measurement and the first batch of a job', async () => {
  const { home, queue, queueTime } = livePage();
  queue.jobs.enqueue(newJob({ video: VIDEO }));
  await vi.waitFor(async () => expect(await queueTime()).toEqual({ seconds: 0, unknownCount: 1 }));
  queue.jobs.enqueue(newJob({ video: VIDEO }));
  await vi.waitFor(async () => expect(await queueTime()).toEqual({ seconds: 0, unknownCount: 2 }));

  await writeSpeeds(home, { core: { msPerProduct: 0.025, msPerEncodedPixel: 0, cores: 2 }, models: {} });
  // 128x96 output pixels of 27 products in each of 100 frames, which ffmpeg computes in 0.04 of the time, and the start of the job, twice.
  const seconds = Math.round(2 * (1.5 + VIDEO.frames * 128 * 96 * 27 * 1e-6));
  await vi.waitFor(async () => expect(await queueTime()).toEqual({ seconds, unknownCount: 0 }));

  const claimed = queue.leases.claim({ owner: ALICE, nowMs: 0, leaseMs: LEASE_MS });
  if (claimed === null) throw new Error('No job can be claimed.');
  await vi.waitFor(async () => expect((await queueTime())?.seconds).toBeLessThan(0.6 * seconds));
  queue.batches.commitBatch(claimed.lease, { ...newBatch(0), elapsedMs: 30_000 }, 30_000);
  // A second for each of the hundred frames.
  await vi.waitFor(async () => expect(await queueTime()).toEqual({ seconds: 100, unknownCount: 0 }));
});

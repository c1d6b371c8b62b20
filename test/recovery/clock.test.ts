import { expect, test } from 'vitest';
import { Patient } from '../helpers/faults.ts';
import { movableClock } from '../helpers/movable-clock.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const HOUR_MS = 3_600_000;

const FRAMES = 200;

/** All but what a machine without a RAM disk says of itself. */
function complaintsOf(patient: Patient): string[] {
  return patient.complaints().filter((line) => !line.includes('RAM disk'));
}

test('a clock that jumps hours ahead, and days back, while a job runs is no matter', async () => {
  const clock = movableClock(temporaryFolder());
  const patient = new Patient({
    frames: FRAMES,
    armed: ['segment.published 2 stop'],
    environment: clock.environment,
  });
  for (const offsetMs of [9 * HOUR_MS, -72 * HOUR_MS]) {
    await patient.until(() => patient.points.hasFired('segment.published'));
    const before = patient.batches();
    clock.set(offsetMs);
    // Once more, three batches later.
    patient.points.arm(...(offsetMs > 0 ? (['segment.published 5 stop'] as const) : []));
    patient.wake();
    await patient.until(() => patient.batches() > before + 1);
    const { etaAtMs = null } = patient.job() ?? {};
    const aheadMs = etaAtMs === null ? null : etaAtMs - offsetMs - Date.now();
    if (aheadMs !== null) expect(Math.abs(aheadMs)).toBeLessThan(600_000);
  }
  await patient.isDone();
  expect(complaintsOf(patient)).toEqual([]);
  expect(patient.points.count('transformed-frame.written')).toBe(FRAMES);
});

test.runIf(process.env['FRAMEKILN_FAULTS'] === 'all')(
  'all processes stopped for longer than the lease and every patience go on where they were',
  async () => {
    const patient = new Patient({ frames: FRAMES });
    await patient.until(() => patient.job() !== null && patient.batches() > 0);
    const group = -(patient.running.child.pid ?? 0);
    process.kill(group, 'SIGSTOP');
    // Longer than the lease, the worker's silence, and ffmpeg's and the model's stall.
    await new Promise((pass) => setTimeout(pass, 70_000));
    process.kill(group, 'SIGCONT');
    await patient.isDone();
    expect(complaintsOf(patient)).toEqual([]);
    expect(patient.points.count('transformed-frame.written')).toBe(FRAMES);
  },
);

import { expect, test } from 'vitest';
import { RestartPolicy } from '../../../src/daemon/restart-policy.ts';

/** The pause in ms after each of several crashes in a row. */
function pauses(policy: RestartPolicy, runsMs: readonly number[]): number[] {
  let nowMs = 0;
  return runsMs.map((ranMs) => {
    const startedAtMs = nowMs;
    nowMs += ranMs;
    policy.workerEnded({ crashed: true, hasClaimed: true, startedAtMs, nowMs });
    const endedAtMs = nowMs;
    while (!policy.mayStart(nowMs)) nowMs += 100;
    return nowMs - endedAtMs;
  });
}

test('the first worker starts at once, and so does one after an orderly exit', () => {
  const policy = new RestartPolicy();
  expect(policy.mayStart(0)).toBe(true);
  policy.workerEnded({ crashed: false, hasClaimed: true, startedAtMs: 0, nowMs: 10 });
  expect(policy.mayStart(10)).toBe(true);
});

test('the pause doubles with each crash in a row, up to half a minute', () => {
  const runsMs = Array.from({ length: 9 }, () => 100);
  expect(pauses(new RestartPolicy(), runsMs)).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

test('a steady run or an orderly exit begins the back-off again', () => {
  const policy = new RestartPolicy();
  expect(pauses(policy, [100, 100, 60_001])).toEqual([500, 1000, 500]);
  policy.workerEnded({ crashed: false, hasClaimed: true, startedAtMs: 0, nowMs: 0 });
  expect(pauses(policy, [100])).toEqual([500]);
});

test('workers that claim nothing although a job waits start ever later, and not at all after eleven in a row', () => {
  const policy = new RestartPolicy();
  const starts: number[] = [];
  for (let nowMs = 0; !policy.hasGivenUp; nowMs += 100) {
    if (!policy.mayStart(nowMs)) continue;
    starts.push(nowMs);
    policy.workerEnded({ crashed: false, hasClaimed: false, startedAtMs: nowMs, nowMs });
  }
  expect(starts).toHaveLength(11);
  expect(starts.slice(0, 6)).toEqual([0, 500, 1500, 3500, 7500, 15_500]);
});

test('a worker that claims a job ends the count of those that claimed none', () => {
  const policy = new RestartPolicy();
  for (let i = 0; i < 50; i++)
    policy.workerEnded({ crashed: true, hasClaimed: i % 10 === 0, startedAtMs: 0, nowMs: 0 });
  expect(policy.hasGivenUp).toBe(false);
});

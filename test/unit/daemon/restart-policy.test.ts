import { expect, test } from 'vitest';
import { RestartPolicy } from '../../../src/daemon/restart-policy.ts';

/** The pause in ms after each of several crashes in a row. */
function pauses(policy: RestartPolicy, runsMs: readonly number[]): number[] {
  let nowMs = 0;
  return runsMs.map((ranMs) => {
    const startedAtMs = nowMs;
    nowMs += ranMs;
    policy.workerEnded({ crashed: true, startedAtMs, nowMs });
    const endedAtMs = nowMs;
    while (!policy.mayStart(nowMs)) nowMs += 100;
    return nowMs - endedAtMs;
  });
}

test('the first worker starts at once, and so does one after an orderly exit', () => {
  const policy = new RestartPolicy();
  expect(policy.mayStart(0)).toBe(true);
  policy.workerEnded({ crashed: false, startedAtMs: 0, nowMs: 10 });
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
  policy.workerEnded({ crashed: false, startedAtMs: 0, nowMs: 0 });
  expect(pauses(policy, [100])).toEqual([500]);
});

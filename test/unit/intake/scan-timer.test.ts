import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pauseAfterHintMs, pauseAfterScanMs, ScanTimer } from '../../../src/intake/scan-timer.ts';

const CALM = {
  hinted: false,
  lastScanMs: 10,
  isUnsettled: false,
  polling: false,
  settleMs: 5000,
  rescanMs: 60_000,
};

test('scans that hints cause take at most a sixth of the time, and never come in bursts', () => {
  expect(pauseAfterHintMs(0)).toBe(200);
  expect(pauseAfterHintMs(1000)).toBe(5000);
});

test('the pause depends on hints, on unsettled files and on the settings', () => {
  expect(pauseAfterScanMs(CALM)).toBe(60_000);
  expect(pauseAfterScanMs({ ...CALM, hinted: true })).toBe(200);
  expect(pauseAfterScanMs({ ...CALM, polling: true })).toBe(1000);
  expect(pauseAfterScanMs({ ...CALM, polling: true, lastScanMs: 2000 })).toBe(10_000);
  expect(pauseAfterScanMs({ ...CALM, isUnsettled: true })).toBe(5020);
  expect(pauseAfterScanMs({ ...CALM, isUnsettled: true, rescanMs: 1000 })).toBe(1000);
});

test('an earlier request moves the timer forward; a later one does not postpone it', async () => {
  let calls = 0;
  const timer = new ScanTimer(() => calls++);
  timer.scheduleIn(60_000);
  timer.scheduleIn(20);
  timer.scheduleIn(60_000);
  await expect.poll(() => calls).toBe(1);
  timer.clear();
});

test('a cleared timer does not fire, and can be set again', async () => {
  let calls = 0;
  const timer = new ScanTimer(() => calls++);
  timer.scheduleIn(20);
  timer.clear();
  await delay(60);
  expect(calls).toBe(0);
  timer.scheduleIn(20);
  await expect.poll(() => calls).toBe(1);
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watchdog } from '../../../src/lib/process/watchdog.ts';

let calls = 0;
const createWatchdog = () => new Watchdog(30_000, () => calls++);

beforeEach(() => {
  calls = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

test('the callback runs once, after a silence that each call of heard() restarts', () => {
  const watchdog = createWatchdog();
  watchdog.heard();
  vi.advanceTimersByTime(29_000);
  watchdog.heard();
  vi.advanceTimersByTime(29_999);
  expect(calls).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(calls).toBe(1);
});

test('after the process itself was suspended, a grace period passes before the callback runs', () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const watchdog = createWatchdog();
  watchdog.heard();
  now = 90_000; // Suspended for a minute and a half: the timer fires when the process resumes.
  vi.advanceTimersByTime(30_000);
  expect(calls).toBe(0);
  watchdog.heard(); // Messages that arrived meanwhile.
  now = 119_000;
  vi.advanceTimersByTime(29_000);
  expect(calls).toBe(0);
  watchdog.rest();
  watchdog.heard();
  now = 300_000;
  vi.advanceTimersByTime(30_000 + 4_999);
  expect(calls).toBe(0);
  vi.advanceTimersByTime(1);
  expect(calls).toBe(1);
  vi.restoreAllMocks();
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { InferenceWatchdog } from '../../../src/inference-thread/watchdog.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Watches a process that uses `share` of a core, with a timeout of ten seconds. */
function watched(share: number) {
  let stalls = 0;
  const startedAtMs = Date.now();
  const watch = new InferenceWatchdog({
    stallMs: 10_000,
    onStall: () => stalls++,
    cpuMs: () => (Date.now() - startedAtMs) * share,
  });
  watch.watch();
  return { watch, stalls: () => stalls };
}

test('silence without CPU use is reported as a stall, once', () => {
  const { stalls } = watched(0.01);
  vi.advanceTimersByTime(9_999);
  expect(stalls()).toBe(0);
  vi.advanceTimersByTime(100_000);
  expect(stalls()).toBe(1);
});

test('silence with CPU use is reported as a stall only after thirty times the timeout', () => {
  const { stalls } = watched(1);
  vi.advanceTimersByTime(299_000);
  expect(stalls()).toBe(0);
  vi.advanceTimersByTime(2_000);
  expect(stalls()).toBe(1);
});

test('each call of watch() restarts the timeout, and rest() suspends it', () => {
  const { watch, stalls } = watched(0);
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(9_000);
    watch.watch();
  }
  watch.rest();
  vi.advanceTimersByTime(60_000);
  expect(stalls()).toBe(0);
});

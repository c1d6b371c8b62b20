import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watchdog } from '../../../src/lib/process/watchdog.ts';

let over = 0;
const patience = () => new Watchdog(30_000, () => over++);

beforeEach(() => {
  over = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

test('silence is over once, and every word begins it anew', () => {
  const waiting = patience();
  waiting.heard();
  vi.advanceTimersByTime(29_000);
  waiting.heard();
  vi.advanceTimersByTime(29_999);
  expect(over).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(over).toBe(1);
});

test('whoever was stopped itself listens before it judges', () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const waiting = patience();
  waiting.heard();
  now = 90_000; // Stopped for a minute and a half: the timer fires when the process goes on.
  vi.advanceTimersByTime(30_000);
  expect(over).toBe(0);
  waiting.heard(); // What the other had said meanwhile.
  now = 119_000;
  vi.advanceTimersByTime(29_000);
  expect(over).toBe(0);
  waiting.rest();
  waiting.heard();
  now = 300_000;
  vi.advanceTimersByTime(30_000 + 4_999);
  expect(over).toBe(0);
  vi.advanceTimersByTime(1);
  expect(over).toBe(1);
  vi.restoreAllMocks();
});

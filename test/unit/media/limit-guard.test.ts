import { expect, test } from 'vitest';
import { LimitGuard } from '../../../src/media/index/limit-guard.ts';

test.each([
  [1, 'a.mkv is longer than the limit of 1 hour (limits.hours).'],
  [0.5, 'a.mkv is longer than the limit of 0.5 hours (limits.hours).'],
])('a video longer than %s hours is rejected', (hours, message) => {
  const guard = new LimitGuard('a.mkv', { inputMegapixels: 1, hours, framesPerSecond: 1 });
  expect(guard.whyExceeded(1, 0)).toBeNull();
  expect(guard.whyExceeded(2, hours * 3600 + 1)).toBe(message);
});

test('a video with more frames per second than allowed is rejected', () => {
  const guard = new LimitGuard('a.mkv', { inputMegapixels: 1, hours: 1, framesPerSecond: 1 });
  expect(guard.whyExceeded(1, 0)).toBeNull();
  expect(guard.whyExceeded(2, 0.1)).toBe('a.mkv has more than 1 frame per second (limits.framesPerSecond).');
});

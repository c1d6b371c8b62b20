import { expect, test } from 'vitest';
import { sourceFrame } from '../../../../src/pipelines/lip-sync/source-cycle.ts';

test('a video that is shorter than its speech starts again, goes backwards and forwards, or holds its last frame', () => {
  const shown = (extend: 'loop' | 'ping-pong' | 'hold'): number[] =>
    Array.from({ length: 8 }, (_, i) => sourceFrame(i, { ownFrames: 3, extend }));
  expect(shown('loop')).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
  expect(shown('ping-pong')).toEqual([0, 1, 2, 2, 1, 0, 0, 1]);
  expect(shown('hold')).toEqual([0, 1, 2, 2, 2, 2, 2, 2]);
});

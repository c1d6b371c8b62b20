import { describe, expect, test } from 'vitest';
import type { SpeakingBox } from '../../../../src/pipelines/lip-sync/face-boxes.ts';
import { runsOf } from '../../../../src/pipelines/lip-sync/mouth-frames.ts';
import { repeatBoxes } from '../../../../src/pipelines/lip-sync/repeat-boxes.ts';
import type { SourceCycle } from '../../../../src/pipelines/lip-sync/source-cycle.ts';

/** Four frames of a source: two of one shot and two of the next. */
const own: (SpeakingBox | null)[] = [true, false, true, false].map((startsRun, x) => ({
  ...{ x, y: 0, width: 9, height: 9 },
  startsRun,
}));

/** The source frames of each run of the repeated video. */
function runs(
  boxes: readonly (SpeakingBox | null)[],
  frames: number,
  extend: SourceCycle['extend'],
): number[][] {
  const repeated = repeatBoxes(boxes, frames, { ownFrames: boxes.length, extend });
  return runsOf(repeated).map(({ first, count }) =>
    repeated.slice(first, first + count).map((box) => box?.x ?? -1),
  );
}

describe('repeated boxes', () => {
  test('a run starts where a loop begins again', () => {
    expect(runs(own, 9, 'loop')).toEqual([[0, 1], [2, 3], [0, 1], [2, 3], [0]]);
  });

  test('backwards, a run starts where the cut is passed', () => {
    expect(runs(own, 11, 'ping-pong')).toEqual([[0, 1], [2, 3, 3, 2], [1, 0, 0, 1], [2]]);
  });

  test('a held frame belongs to its run', () => {
    expect(runs(own, 6, 'hold')).toEqual([
      [0, 1],
      [2, 3, 3, 3],
    ]);
  });

  test('frames without a face end a run in both directions', () => {
    const gap = own.map((box, i) => (i === 1 ? null : box && { ...box, startsRun: i === 0 || i === 2 }));
    expect(runs(gap, 8, 'ping-pong')).toEqual([[0], [2, 3, 3, 2], [0]]);
  });

  test('a shorter video has the first boxes', () => {
    expect(repeatBoxes(own, 3, { ownFrames: 4, extend: 'loop' })).toEqual(own.slice(0, 3));
  });
});

import { expect, test } from 'vitest';
import { drawnFrames, mixOf, runsOf } from '../../../../src/pipelines/lip-sync/mouth-frames.ts';
import { packInput } from '../../../../src/pipelines/lip-sync/speech.ts';

test.each([
  [7, 1, [0, 1, 2, 3, 4, 5, 6]],
  [7, 2, [0, 2, 4, 6]],
  [8, 3, [0, 3, 6, 7]],
  [1, 3, [0]],
  [0, 2, []],
])('of a run of %d frames with a skip of %d, the model draws %j', (count, skip, expected) => {
  expect(drawnFrames(count, skip)).toEqual(expected);
});

test('frames in between mix the drawn frames around them, in every run', () => {
  for (const skip of [1, 2, 3])
    for (let count = 1; count < 12; count++) {
      const drawn = new Set(drawnFrames(count, skip));
      for (let frame = 0; frame < count; frame++) {
        const { from, to, share } = mixOf(frame, count, skip, true);
        expect([drawn.has(from), drawn.has(to)]).toEqual([true, true]);
        expect(from + (to - from) * share).toBeCloseTo(frame, 9);
      }
    }
  expect(mixOf(2, 8, 3, false)).toMatchObject({ from: 0, share: 0 });
});

test('a run ends at a cut, where another face takes over, and where there is none', () => {
  const box = (startsRun: boolean) => ({ startsRun });
  const boxes = [null, box(true), box(false), null, box(true), box(true), box(false), box(false)];
  expect(runsOf(boxes)).toEqual([
    { first: 1, count: 2 },
    { first: 4, count: 1 },
    { first: 5, count: 3 },
  ]);
  // A batch may begin within a run. Boxes of an older version mark none.
  expect(runsOf([box(false), box(false), null, box(false)])).toEqual([
    { first: 0, count: 2 },
    { first: 3, count: 1 },
  ]);
  expect(runsOf([])).toEqual([]);
});

test('the input has the hidden face, the face, and the 16 columns from the time of the frame on', () => {
  const face = new Float32Array(3 * 9216).fill(0.5);
  const mel = Float32Array.from({ length: 40 * 80 }, (_, i) => Math.floor(i / 80) + (i % 80) / 1000);
  const packed = packInput(face, mel, 3, 12.5);
  expect([packed[0], packed[48 * 96 - 1], packed[48 * 96], packed[3 * 9216 + 48 * 96]]).toEqual([
    0.5, 0.5, 0, 0.5,
  ]);
  // 3 frames of 12.5 a second are 19.2 columns.
  const at = (row: number, column: number): number => packed[6 * 9216 + row * 96 + column] ?? NaN;
  expect(at(0, 0)).toBeCloseTo(19, 5);
  expect(at(79, 15)).toBeCloseTo(34.079, 5);
  expect(at(0, 16)).toBe(0);
  // At the end of the speech, its last columns.
  expect(packInput(face, mel, 100, 12.5)[6 * 9216]).toBe(24);
});

import { expect, test } from 'vitest';
import { chooseFaces } from '../../../../src/pipelines/lip-sync/choose-face.ts';
import { decodeBoxes, encodeBoxes } from '../../../../src/pipelines/lip-sync/face-boxes.ts';
import type { Observation } from '../../../../src/pipelines/dual-face/analysis/observation.ts';

const FORMAT = { width: 400, height: 200 };

/** A frame with faces given as [tracklet, left edge, edge length]. */
function frame(faces: readonly (readonly [number, number, number])[], isNewShot = false): Observation {
  const seen = faces.map(([tracklet, x, size]) => ({
    ...{ tracklet, score: 0.9, embedding: null },
    box: { x, y: 50, width: size, height: size },
  }));
  return { isNewShot, dissolveFrames: 0, faces: seen };
}

const two = [
  [1, 20, 60],
  [2, 250, 80],
] as const;

test('the largest, left or right face speaks throughout a shot', () => {
  const frames = [frame(two, true), frame(two), frame(two)];
  const leftOf = (face: 'largest' | 'left' | 'right') =>
    chooseFaces(frames, face, FORMAT).map((box) => box?.x);
  expect(leftOf('largest')).toEqual([250, 250, 250]);
  expect(leftOf('left')).toEqual([20, 20, 20]);
  expect(leftOf('right')).toEqual([250, 250, 250]);
});

test('a face that was missed for a moment is interpolated, and nobody else takes over', () => {
  const frames = [frame(two, true), frame(two), frame([[1, 20, 60]]), frame([[1, 20, 60]]), frame(two)];
  expect(chooseFaces(frames, 'right', FORMAT).map((box) => box?.x)).toEqual([250, 250, 250, 250, 250]);
});

test('a larger face that is there for a moment takes nothing from the one that is always there', () => {
  const both = [
    [1, 20, 60],
    [2, 250, 180],
  ] as const;
  const frames = [frame(both, true), ...Array.from({ length: 3 }, () => frame(both))];
  const alone = Array.from({ length: 8 }, () => frame([[1, 20, 60]]));
  const boxes = chooseFaces([...frames, ...alone], 'largest', FORMAT);
  expect(boxes.map((box) => box?.x)).toEqual(Array.from({ length: 12 }, () => 20));
});

test('where the face that speaks is not there, the next one speaks', () => {
  const frames = [
    ...[true, false, false].map((isFirst) => frame(two, isFirst)),
    ...[1, 2].map(() => frame([[1, 20, 60]])),
  ];
  expect(chooseFaces(frames, 'right', FORMAT).map((box) => box?.x)).toEqual([250, 250, 250, 20, 20]);
});

test('a run starts at a cut, where another face takes over, and after frames without a face', () => {
  const starts = (frames: readonly Observation[]) =>
    chooseFaces(frames, 'right', FORMAT).map((box) => (box === null ? null : Number(box.startsRun)));
  // A tracklet keeps its number across a cut if the tracker takes the two faces for one.
  expect(starts([frame(two, true), frame(two), frame(two, true), frame(two)])).toEqual([1, 0, 1, 0]);
  const one = [[1, 20, 60]] as const;
  expect(starts([frame(two, true), frame(two), frame(one), frame(one)])).toEqual([1, 0, 1, 0]);
  expect(starts([frame([], true), frame(one), frame(one), frame([], true), frame(one, true)])).toEqual([
    ...[null, 1, 0],
    ...[null, 1],
  ]);
});

test('boxes are averaged over five frames, and end at the edge of the frame', () => {
  const frames = [0, 10, 20, 30, 40, 50].map((x, i) => frame([[1, x + 300, 60]], i === 0));
  const boxes = chooseFaces(frames, 'largest', FORMAT);
  expect(boxes[2]).toMatchObject({ x: 320, y: 50, width: 60, height: 63 });
  expect(boxes[5]).toMatchObject({ x: 340, y: 50, width: 60, height: 63 });
});

test('frames without a face, and fleeting detections, have no box', () => {
  const frames = [
    frame([], true),
    ...Array.from({ length: 9 }, () => frame([[1, 20, 60]])),
    frame([[7, 300, 90]]),
  ];
  const boxes = chooseFaces(frames, 'largest', FORMAT);
  expect([boxes[0], boxes[10]]).toEqual([null, null]);
  expect(boxes[5]?.x).toBe(20);
});

test('boxes survive being stored', () => {
  const boxes = [
    { x: 3, y: 4, width: 5000, height: 6, startsRun: true },
    { x: 0, y: 0, width: 8, height: 65_535, startsRun: false },
    null,
  ];
  expect(decodeBoxes(encodeBoxes(boxes))).toEqual(boxes);
});

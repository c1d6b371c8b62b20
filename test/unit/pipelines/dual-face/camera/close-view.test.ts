import { expect, test } from 'vitest';
import { faceHeightsWithout } from '../../../../../src/pipelines/dual-face/camera/close-view.ts';

const geometry = { width: 1280, height: 720, aspect: 16 / 9 };
const face = { x: 600, y: 200, width: 80, height: 100 };

test.each([
  ['a neighbour who is far away', [{ x: 980, y: 0 }], 3],
  ['a neighbour who can be left out by a view to the side', [{ x: 290, y: 0 }], 3],
  [
    'neighbours on both sides',
    [
      { x: 890, y: 0 },
      { x: 310, y: 0 },
    ],
    2.5,
  ],
  [
    'neighbours on both sides, one of them nearer',
    [
      { x: 890, y: 0 },
      { x: 340, y: 0 },
    ],
    2.4,
  ],
  ['a neighbour who is too near', [{ x: 700, y: 0 }], 3],
  ['a neighbour in the row below', [{ x: 640, y: 300 }], 3],
])('the heights of a face that a view has beside %s', (_, neighbours, heights) => {
  const boxes = neighbours.map(({ x, y }) => ({ ...face, x, y: face.y + y }));
  expect(faceHeightsWithout(face, boxes, geometry)).toBeCloseTo(heights);
});

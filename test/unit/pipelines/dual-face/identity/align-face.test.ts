import { expect, test } from 'vitest';
import type { Face, Point } from '../../../../../src/pipelines/dual-face/detection/face.ts';
import { readSquare, squareOf } from '../../../../../src/pipelines/dual-face/identity/align-face.ts';

function faceOf(...landmarks: Point[]): Face {
  return { box: { x: 0, y: 0, width: 1, height: 1 }, score: 1, landmarks };
}

/** Level eyes, with the mouth 50 px from each. */
const RIGHT_EYE = { x: 70, y: 100 };
const LEFT_EYE = { x: 130, y: 100 };
const NOSE = { x: 100, y: 120 };
const MOUTH = { x: 100, y: 140 };
const CORNERS = [
  { x: 85, y: 140 },
  { x: 115, y: 140 },
] as const;

test('a level face gets the square of face-api, by the corners or the centre of the mouth', () => {
  const edge = 50 / 0.45;
  const byCorners = squareOf(faceOf(RIGHT_EYE, LEFT_EYE, NOSE, ...CORNERS));
  expect(byCorners?.edge).toBeCloseTo(edge, 6);
  expect(byCorners?.angle).toBe(0);
  expect(byCorners?.centre.x).toBeCloseTo(100, 6);
  // Its upper edge is 0.43 of the edge above the middle of eyes and mouth.
  expect((byCorners?.centre.y ?? 0) - edge / 2).toBeCloseTo(340 / 3 - 0.43 * edge, 6);
  const ears = [
    { x: 50, y: 110 },
    { x: 150, y: 110 },
  ];
  expect(squareOf(faceOf(RIGHT_EYE, LEFT_EYE, NOSE, MOUTH, ...ears))).toEqual(byCorners);
});

test('a rotated face gets the same square, rotated', () => {
  const level = squareOf(faceOf(RIGHT_EYE, LEFT_EYE, NOSE, MOUTH, NOSE, NOSE));
  const angle = 0.3;
  const turn = ({ x, y }: Point) => ({
    x: 100 + (x - 100) * Math.cos(angle) - (y - 100) * Math.sin(angle),
    y: 100 + (x - 100) * Math.sin(angle) + (y - 100) * Math.cos(angle),
  });
  const turned = squareOf(faceOf(...[RIGHT_EYE, LEFT_EYE, NOSE, MOUTH, NOSE, NOSE].map(turn)));
  expect(turned?.angle).toBeCloseTo(angle, 6);
  expect(turned?.edge).toBeCloseTo(level?.edge ?? 0, 6);
  const expected = turn(level?.centre ?? { x: 0, y: 0 });
  expect(turned?.centre.x).toBeCloseTo(expected.x, 6);
  expect(turned?.centre.y).toBeCloseTo(expected.y, 6);
});

test('a face without landmarks, or with coinciding ones, has no square', () => {
  expect(squareOf(faceOf())).toBeNull();
  expect(squareOf(faceOf(NOSE, NOSE, NOSE, NOSE, NOSE))).toBeNull();
});

/** Red grows to the right, green downwards. */
function ramps(width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set([x, y, 7], (y * width + x) * 3);
  return pixels;
}

test('a square is read unchanged, rotated, shrunk, and beyond the frame', () => {
  const frame = ramps(200, 160);
  const planeOf = (planes: Float32Array, channel: number) => planes.subarray(channel * 16, channel * 16 + 16);

  const level = readSquare(frame, 200, 160, { centre: { x: 52, y: 32 }, edge: 4, angle: 0 }, 4);
  expect([...planeOf(level, 0).slice(0, 4)]).toEqual([50, 51, 52, 53]);
  expect([...planeOf(level, 1)].filter((_, i) => i % 4 === 0)).toEqual([30, 31, 32, 33]);
  expect(new Set(planeOf(level, 2))).toEqual(new Set([7]));

  // A quarter to the right: the square's rows go down the frame.
  const quarter = { centre: { x: 52, y: 32 }, edge: 4, angle: Math.PI / 2 };
  const turned = planeOf(readSquare(frame, 200, 160, quarter, 4), 1);
  for (const [i, value] of [30, 31, 32, 33].entries()) expect(turned[i]).toBeCloseTo(value, 4);

  const shrunk = readSquare(frame, 200, 160, { centre: { x: 80, y: 80 }, edge: 40, angle: 0 }, 4);
  for (const [i, value] of [64.5, 74.5, 84.5, 94.5].entries()) expect(shrunk[i]).toBeCloseTo(value, 4);

  const outside = readSquare(frame, 200, 160, { centre: { x: -10, y: 300 }, edge: 4, angle: 0 }, 4);
  expect(new Set(planeOf(outside, 0))).toEqual(new Set([0]));
  expect(new Set(planeOf(outside, 1))).toEqual(new Set([159]));
});

import { expect, it } from 'vitest';
import {
  boxOf,
  correctBox,
  predictBox,
  startBox,
} from '../../../../../src/pipelines/dual-face/tracking/box-filter.ts';

const box = { x: 100, y: 50, width: 80, height: 100 };

it('starts at the detected box', () => {
  expect(boxOf(startBox(box))).toEqual(box);
});

it('corrects by the Kalman gain, as computed by hand', () => {
  // Height 100: position 5, velocity 0.625. Start: p = 10² = 100, v = 6.25² = 39.0625.
  const predicted = predictBox(startBox(box), false).centerX;
  expect(predicted).toMatchObject({ position: 140, velocity: 0 });
  expect(predicted.p).toBeCloseTo(100 + 39.0625 + 25, 9);
  expect(predicted.pv).toBeCloseTo(39.0625, 9);
  expect(predicted.v).toBeCloseTo(39.0625 + 0.390625, 9);
  // Measured with 5: the gain is 164.0625 / 189.0625; the box lies 10 further to the right.
  const { centerX } = correctBox(predictBox(startBox(box), false), { ...box, x: 110 });
  expect(centerX.position).toBeCloseTo(140 + (10 * 164.0625) / 189.0625, 9);
  expect(centerX.velocity).toBeCloseTo((10 * 39.0625) / 189.0625, 9);
  expect(centerX.p).toBeCloseTo((164.0625 * 25) / 189.0625, 9);
  expect(centerX.v).toBeCloseTo(39.453125 - 39.0625 ** 2 / 189.0625, 9);
});

it('learns a constant velocity and continues with it without detections', () => {
  let state = startBox(box);
  for (let frame = 1; frame <= 60; frame++) {
    state = correctBox(predictBox(state, false), { ...box, x: 100 + 4 * frame });
  }
  for (let frame = 0; frame < 10; frame++) state = predictBox(state, true);
  expect(boxOf(state).x).toBeCloseTo(100 + 4 * 70, 0);
  expect(boxOf(state).height).toBeCloseTo(100, 6);
});

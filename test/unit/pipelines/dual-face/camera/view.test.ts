import { expect, test } from 'vitest';
import { viewOfFace, wideView } from '../../../../../src/pipelines/dual-face/camera/view.ts';

const aspect = 960 / 1080;

test('in a view of head and shoulders, the face is a third of the height, slightly above the centre', () => {
  const view = viewOfFace({ x: 900, y: 400, width: 90, height: 120 }, { width: 1920, height: 1080, aspect });
  expect(view.height).toBe(360);
  expect(view.centerX).toBe(945);
  expect(view.centerY).toBeGreaterThan(460);
  expect(view.centerY).toBeLessThan(500);
});

test('a face that is close or at the edge is shown as well as the image allows', () => {
  const geometry = { width: 640, height: 480, aspect };
  const near = viewOfFace({ x: 0, y: 0, width: 400, height: 450 }, geometry);
  expect(near).toEqual({ centerX: 213.33333333333331, centerY: 240, height: 480 });
  const tiny = viewOfFace({ x: 630, y: 470, width: 8, height: 10 }, geometry);
  expect(tiny).toEqual({ centerX: 640 - 48 * aspect, centerY: 432, height: 96 });
});

test('the wide view contains the whole image for any aspect ratio', () => {
  expect(wideView({ width: 1920, height: 1080, aspect })).toEqual({
    centerX: 960,
    centerY: 540,
    height: 2160,
  });
  expect(wideView({ width: 400, height: 1000, aspect })).toEqual({
    centerX: 200,
    centerY: 500,
    height: 1000,
  });
});

import { expect, test } from 'vitest';
import { seededRandom } from '../../../../../src/lib/seeded-random.ts';
import { cameraPath } from '../../../../../src/pipelines/dual-face/camera/camera-path.ts';
import type { View } from '../../../../../src/pipelines/dual-face/camera/view.ts';
import { faceTarget, type FaceTarget } from '../../../../../src/pipelines/dual-face/camera/face-target.ts';

const geometry = { width: 1920, height: 1080, aspect: 960 / 1080 };
const RATE = 25;

function faces(frames: number, xAt: (frame: number) => number, height = 120): FaceTarget[] {
  return Array.from({ length: frames }, (_, frame) => {
    return faceTarget({ x: xAt(frame) - height / 2, y: 400, width: height, height }, [], [], geometry);
  });
}

/** Where the face is in the pane, as a share of its width. */
function placesIn(views: readonly View[], targets: readonly FaceTarget[]): number[] {
  return views.map(({ centerX, height }, i) => {
    const { x = 0, width = 0 } = targets[i]?.box ?? {};
    return 0.5 + (x + width / 2 - centerX) / (height * geometry.aspect);
  });
}

test('a still face with a noisy box does not move the camera', () => {
  const random = seededRandom(7);
  const boxes = faces(300, () => 600 + (random() - 0.5) * 30);
  const views = cameraPath(boxes, geometry, RATE);
  expect(new Set(views.map(({ centerX }) => centerX.toFixed(6))).size).toBe(1);
});

test('the camera sets off before somebody walks, and never loses them', () => {
  const boxes = faces(150, (frame) => 500 + 600 * Math.min(1, Math.max(0, (frame - 50) / 40)));
  const views = cameraPath(boxes, geometry, RATE);
  const start = views[0]?.centerX ?? 0;
  expect(views.findIndex(({ centerX }) => centerX > start + 1)).toBeLessThan(51);
  for (const place of placesIn(views, boxes)) expect(Math.abs(place - 0.5)).toBeLessThan(0.17);
  const steps = views.slice(1).map(({ centerX }, i) => centerX - (views[i]?.centerX ?? 0));
  expect(Math.min(...steps)).toBeGreaterThanOrEqual(-1e-9);
  // Hardly faster than the person, who walks 15 px per frame.
  expect(Math.max(...steps)).toBeLessThan(18);
  const jerks = steps.slice(1).map((step, i) => Math.abs(step - (steps[i] ?? 0)));
  expect(Math.max(...jerks)).toBeLessThan(4);
});

test('somebody who walks out is shown at the edge of the image until the end', () => {
  const boxes = faces(60, (frame) => 1000 + 30 * Math.min(frame, 29));
  const views = cameraPath(boxes, geometry, RATE);
  const { centerX, height } = views[30] ?? expect.fail();
  expect(centerX + (height * geometry.aspect) / 2).toBeCloseTo(geometry.width, 6);
});

test('a camera at the edge shows nothing beyond the image', () => {
  for (const { centerX, centerY, height } of cameraPath(
    faces(50, (i) => 5 + i),
    geometry,
    RATE,
  )) {
    expect(centerX - (height * geometry.aspect) / 2).toBeGreaterThanOrEqual(-1e-9);
    expect(centerY + height / 2).toBeLessThanOrEqual(geometry.height + 1e-9);
  }
});

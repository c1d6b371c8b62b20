import { expect, test } from 'vitest';
import { seededRandom } from '../../../../../src/lib/seeded-random.ts';
import { moveCamera, cameraAt, viewOf } from '../../../../../src/pipelines/dual-face/camera/camera.ts';
import type { View } from '../../../../../src/pipelines/dual-face/camera/view.ts';

const geometry = { width: 1920, height: 1080, aspect: 960 / 1080 };
const start: View = { centerX: 600, centerY: 500, height: 540 };

function run(frames: number, framesPerSecond: number, request: (frame: number) => View): View[] {
  let camera = cameraAt(start);
  return Array.from({ length: frames }, (_, frame) => {
    camera = moveCamera(camera, request(frame), 1 / framesPerSecond);
    return viewOf(camera, geometry);
  });
}

test('a still face with a noisy box does not move the camera', () => {
  const random = seededRandom(7);
  const noise = (): number => (random() - 0.5) * 30;
  const views = run(600, 30, () => ({
    centerX: start.centerX + noise(),
    centerY: start.centerY + noise(),
    height: start.height * (1 + (random() - 0.5) * 0.1),
  }));
  const squares = views.map(({ centerX, centerY }) => (centerX - 600) ** 2 + (centerY - 500) ** 2);
  expect(Math.sqrt(squares.reduce((sum, each) => sum + each, 0) / squares.length)).toBeLessThan(0.5);
});

test.each([10, 24, 60, 120])('the camera reaches a distant face without overshoot at %d fps', (rate) => {
  const goal = { centerX: 1000, centerY: 420, height: 400 };
  const views = run(rate * 4, rate, () => goal);
  const last = views.at(-1);
  expect(Math.abs((last?.centerX ?? 0) - 1000)).toBeLessThan(3);
  expect(Math.abs((last?.height ?? 0) - 400)).toBeLessThan(5);
  const furthest = Math.max(...views.map(({ centerX }) => centerX));
  expect(furthest).toBeLessThan(1000 + 0.05 * 400);
  const fastest = Math.max(
    ...views.slice(1).map(({ centerX }, i) => (centerX - (views[i]?.centerX ?? 0)) * rate),
  );
  expect(fastest).toBeLessThan(1.2 * 540 + 1);
  expect(fastest).toBeGreaterThan(100);
});

test('the camera starts smoothly and comes to rest', () => {
  const views = run(300, 30, () => ({ ...start, centerX: 900 }));
  const steps = views.slice(1).map(({ centerX }, i) => centerX - (views[i]?.centerX ?? 0));
  const jerks = steps.slice(1).map((step, i) => Math.abs(step - (steps[i] ?? 0)));
  expect(Math.max(...jerks)).toBeLessThan(6);
  expect(steps.slice(-100).every((step) => step === 0)).toBe(true);
});

test('a camera at the edge shows nothing beyond the image', () => {
  for (const { centerX, centerY, height } of run(120, 30, () => ({ ...start, centerX: 5, centerY: 5 }))) {
    expect(centerX - (height * geometry.aspect) / 2).toBeGreaterThanOrEqual(-1e-9);
    expect(centerY - height / 2).toBeGreaterThanOrEqual(-1e-9);
  }
});

import { expect, test } from 'vitest';
import { faceTarget } from '../../../../../src/pipelines/dual-face/camera/face-target.ts';

const geometry = { width: 1280, height: 720, aspect: 8 / 9 };

function face(x: number, height: number) {
  return { x: x - height / 2, y: 200, width: height, height };
}

test.each([
  ['of the same size', 120, 120],
  ['of which one needs the whole height', 400, 120],
  ['of which one is tiny', 120, 30],
  ['of which both are near a limit', 280, 60],
])('heads %s have the same size in both panes', (_, a, b) => {
  const [one, other] = [face(300, a), face(900, b)];
  const share = a / faceTarget(one, [other], [], geometry).viewHeight;
  const otherShare = b / faceTarget(other, [one], [], geometry).viewHeight;
  expect(Math.max(share / otherShare, otherShare / share)).toBeLessThan(1.15);
  for (const each of [share, otherShare]) expect(each).toBeLessThan(0.6);
});

test('a view moves aside for a neighbour, as far as it is enough', () => {
  const own = face(600, 100);
  const shiftFor = (x: number): number => faceTarget(own, [], [face(x, 100)], geometry).shiftX;
  expect(shiftFor(900)).toBe(0);
  expect(shiftFor(800)).toBeCloseTo(-8.3, 1);
  expect(shiftFor(400)).toBeCloseTo(8.3, 1);
  expect(shiftFor(700)).toBe(0);
});

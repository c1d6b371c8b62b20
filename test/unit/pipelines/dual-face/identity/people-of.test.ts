import { expect, test } from 'vitest';
import type { Observation } from '../../../../../src/pipelines/dual-face/analysis/observation.ts';
import { peopleOf } from '../../../../../src/pipelines/dual-face/identity/people-of.ts';
import { shotsOf } from '../../../../../src/pipelines/dual-face/identity/tracklet.ts';

/** Frames in which face 1 is seen, and other faces of these numbers and places. */
function observe(frames: number, others: Record<number, { tracklet: number; x: number }>): Observation[] {
  return Array.from({ length: frames }, (_, frame) => {
    const faces = [{ tracklet: 1, x: 100 }, ...(others[frame] === undefined ? [] : [others[frame]])];
    return {
      isNewShot: frame === 0,
      dissolveFrames: 0,
      faces: faces.map(({ tracklet, x }) => ({
        ...{ tracklet, score: 0.9, embedding: null },
        box: { x, y: 100, width: 80, height: 100 },
      })),
    };
  });
}

test('a face that no second detection has confirmed is nobody', () => {
  const observations = observe(60, { 10: { tracklet: 2, x: 700 }, 30: { tracklet: 3, x: 730 } });
  expect(peopleOf(observations, shotsOf(observations)).map(({ id }) => id)).toEqual([1]);
});

test('a face in the first frame of a shot counts without a second detection', () => {
  const observations = observe(1, { 0: { tracklet: 2, x: 700 } });
  expect(peopleOf(observations, shotsOf(observations)).map(({ id }) => id)).toEqual([1, 2]);
});

test('people are numbered in the order of their first appearance', () => {
  const observations = observe(60, {
    3: { tracklet: 2, x: 400 },
    20: { tracklet: 3, x: 700 },
    21: { tracklet: 3, x: 700 },
  });
  expect(peopleOf(observations, shotsOf(observations)).map(({ id }) => id)).toEqual([1, 2]);
});

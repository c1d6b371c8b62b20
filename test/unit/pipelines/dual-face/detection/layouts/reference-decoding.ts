import { expect } from 'vitest';
import type { ModelOutput } from '../../../../../../src/inference/engine.ts';
import type { Face } from '../../../../../../src/pipelines/dual-face/detection/face.ts';
import { iou } from '../../../../../../src/pipelines/dual-face/tracking/box.ts';
import { seededRandom } from '../../../../../../src/lib/seeded-random.ts';

/** The result of a second implementation, written for the tests: [left, top, right, bottom], score, points. */
export interface ReferenceFace {
  readonly corners: readonly [number, number, number, number];
  readonly score: number;
  readonly points: readonly (readonly [number, number])[];
}

/** Random numbers between two limits. */
export function randomOutput(
  name: string,
  shape: readonly number[],
  [least, most]: readonly [number, number],
  seed: number,
): ModelOutput {
  const random = seededRandom(seed);
  const length = shape.reduce((product, edge) => product * edge, 1);
  return { name, shape, data: Float32Array.from({ length }, () => least + random() * (most - least)) };
}

/** Expects the same faces from both implementations: IoU of at least 0.99, landmarks within 0.01 px. */
export function expectSameFaces(found: readonly Face[], wanted: readonly ReferenceFace[]): void {
  const inOrder = found.toSorted((a, b) => b.score - a.score);
  const reference = wanted.toSorted((a, b) => b.score - a.score);
  expect(inOrder).toHaveLength(reference.length);
  for (const [i, { corners, score, points }] of reference.entries()) {
    const [left, top, right, bottom] = corners;
    const face = inOrder[i];
    const box = { x: left, y: top, width: right - left, height: bottom - top };
    expect(face?.score).toBeCloseTo(score, 5);
    expect(iou(face?.box ?? { x: 0, y: 0, width: 0, height: 0 }, box)).toBeGreaterThan(0.99);
    expect(face?.landmarks).toHaveLength(points.length);
    for (const [j, [x, y]] of points.entries()) {
      expect(face?.landmarks[j]?.x).toBeCloseTo(x, 2);
      expect(face?.landmarks[j]?.y).toBeCloseTo(y, 2);
    }
  }
}

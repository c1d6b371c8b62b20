import { expect, it } from 'vitest';
import { iou } from '../../../../../src/pipelines/dual-face/tracking/box.ts';
import { trackingScores, type LabelledBox } from '../../../../helpers/tracking/tracking-metrics.ts';

/** A 10x10 box at x; boxes at the same position show the same face. */
function at(id: number, x: number): LabelledBox {
  return { id, box: { x, y: 0, width: 10, height: 10 } };
}

it('measures the overlap of boxes', () => {
  expect(iou(at(1, 0).box, at(1, 0).box)).toBe(1);
  expect(iou(at(1, 0).box, at(1, 5).box)).toBeCloseTo(50 / 150, 12);
  expect(iou(at(1, 0).box, at(1, 10).box)).toBe(0);
});

it('gives full scores to a perfect tracker with any ids', () => {
  const frame = { truth: [at(1, 0), at(2, 50)], found: [at(9, 50), at(7, 0)] };
  expect(trackingScores([frame, frame])).toEqual({
    ...{ mota: 1, idf1: 1, switches: 0, misses: 0, falsePositives: 0, truthBoxes: 4 },
  });
});

it('counts a swap as two switches and the more frequent identities as correct', () => {
  const truth = [at(1, 0), at(2, 50)];
  const before = { truth, found: [at(1, 0), at(2, 50)] };
  const after = { truth, found: [at(2, 0), at(1, 50)] };
  // Five frames, 10 boxes: 2 switches; 3 of 5 frames have the better pairing of identities.
  const scores = trackingScores([before, before, before, after, after]);
  expect(scores).toMatchObject({ switches: 2, misses: 0, falsePositives: 0, truthBoxes: 10 });
  expect(scores.mota).toBeCloseTo(1 - 2 / 10, 12);
  expect(scores.idf1).toBeCloseTo((2 * 6) / 20, 12);
});

it('counts misses, false positives and a track that returns with another id', () => {
  const truth = [at(1, 0)];
  const scores = trackingScores([
    { truth, found: [at(1, 0)] },
    { truth, found: [] },
    { truth, found: [at(3, 0), at(4, 80)] },
    { truth, found: [at(3, 0)] },
  ]);
  // 4 true boxes, 4 found: 1 miss, 1 false, 1 switch; track 3 has the face in 2 frames.
  expect(scores).toMatchObject({ misses: 1, falsePositives: 1, switches: 1, truthBoxes: 4 });
  expect(scores.mota).toBeCloseTo(1 - 3 / 4, 12);
  expect(scores.idf1).toBeCloseTo((2 * 2) / 8, 12);
});

it('keeps a pair that still overlaps although another track fits better', () => {
  const truth = [at(1, 0)];
  const scores = trackingScores([
    { truth, found: [at(1, 0)] },
    { truth, found: [at(1, 2), at(2, 0)] },
  ]);
  expect(scores).toMatchObject({ switches: 0, falsePositives: 1 });
});

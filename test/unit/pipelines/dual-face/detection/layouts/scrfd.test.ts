import { expect, test } from 'vitest';
import type { ModelOutput } from '../../../../../../src/inference/engine.ts';
import { SCRFD } from '../../../../../../src/pipelines/dual-face/detection/layouts/scrfd.ts';
import { YUNET } from '../../../../../../src/pipelines/dual-face/detection/layouts/yunet.ts';
import { expectSameFaces, randomOutput, type ReferenceFace } from './reference-decoding.ts';

const INPUT = { width: 64, height: 96 };
const STRIDES = [8, 16, 32];

/** Outputs in the order of InsightFace's export: scores, boxes, landmarks, without a batch dimension. */
function outputsOf(isBatched: boolean): ModelOutput[] {
  const kinds = [
    [1, [0, 1]],
    [4, [0.1, 4]],
    [10, [-3, 3]],
  ] as const;
  return kinds.flatMap(([columns, range], k) =>
    STRIDES.map((stride, s) => {
      const rows = 2 * (INPUT.width / stride) * (INPUT.height / stride);
      const shape = isBatched ? [1, rows, columns] : [rows, columns];
      return randomOutput(`out${3 * k + s}`, shape, range, 40 + 3 * k + s);
    }),
  );
}

/** Like scrfd.py: a list of anchor centres, each twice, then distance2bbox and distance2kps. */
function reference(outputs: readonly ModelOutput[], minScore: number): ReferenceFace[] {
  return STRIDES.flatMap((stride, s) => {
    const centres: [number, number][] = [];
    for (let y = 0; y < INPUT.height / stride; y++)
      for (let x = 0; x < INPUT.width / stride; x++)
        for (let anchor = 0; anchor < 2; anchor++) centres.push([x * stride, y * stride]);
    const scores = outputs[s]?.data ?? [];
    const distances = [...(outputs[s + 3]?.data ?? [])].map((value) => value * stride);
    const points = [...(outputs[s + 6]?.data ?? [])].map((value) => value * stride);
    return centres.flatMap(([x, y], i): ReferenceFace[] => {
      const score = scores[i] ?? 0;
      if (score < minScore) return [];
      const distance = (k: number) => distances[4 * i + k] ?? 0;
      return [
        {
          corners: [x - distance(0), y - distance(1), x + distance(2), y + distance(3)],
          score,
          points: [0, 1, 2, 3, 4].map(
            (k) => [x + (points[10 * i + 2 * k] ?? 0), y + (points[10 * i + 2 * k + 1] ?? 0)] as const,
          ),
        },
      ];
    });
  });
}

test.each([true, false])(
  'decoding of SCRFD agrees with the reference, with a batch dimension: %s',
  (isBatched) => {
    const outputs = outputsOf(isBatched);
    const wanted = reference(outputs, 0.5);
    expect(wanted.length).toBeGreaterThan(50);
    expect(SCRFD.fits(outputs, INPUT)).toBe(true);
    expectSameFaces(SCRFD.decode(outputs, INPUT, 0.5), wanted);
  },
);

test('SCRFD is not mistaken for YuNet', () => {
  expect(YUNET.fits(outputsOf(true), INPUT)).toBe(false);
  expect(SCRFD.fits(outputsOf(true), { width: 96, height: 96 })).toBe(false);
});

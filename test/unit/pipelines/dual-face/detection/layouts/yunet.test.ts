import { expect, test } from 'vitest';
import type { ModelOutput } from '../../../../../../src/inference/engine.ts';
import { YUNET } from '../../../../../../src/pipelines/dual-face/detection/layouts/yunet.ts';
import { expectSameFaces, randomOutput, type ReferenceFace } from './reference-decoding.ts';

const INPUT = { width: 96, height: 64 };
const STRIDES = [8, 16, 32];

/** Outputs in the order of the published file: all cls, all obj, all bbox, all kps. */
function outputsOf(seed: number): ModelOutput[] {
  const kinds = [
    ['cls', 1, [0, 1]],
    ['obj', 1, [-0.1, 1.1]],
    ['bbox', 4, [-1, 1]],
    ['kps', 10, [-2, 2]],
  ] as const;
  return kinds.flatMap(([kind, columns, range], k) =>
    STRIDES.map((stride, s) => {
      const cells = (INPUT.width / stride) * (INPUT.height / stride);
      return randomOutput(`${kind}_${stride}`, [1, cells, columns], range, seed + k * 10 + s);
    }),
  );
}

/** Decodes rows and columns like OpenCV's face_detect.cpp. */
function reference(outputs: readonly ModelOutput[], minScore: number): ReferenceFace[] {
  const faces: ReferenceFace[] = [];
  const numbers = (name: string) =>
    outputs.find((output) => output.name === name)?.data ?? new Float32Array();
  for (const stride of STRIDES) {
    const [cls, obj] = [numbers(`cls_${stride}`), numbers(`obj_${stride}`)];
    const [bbox, kps] = [numbers(`bbox_${stride}`), numbers(`kps_${stride}`)];
    for (let row = 0; row < INPUT.height / stride; row++) {
      for (let column = 0; column < INPUT.width / stride; column++) {
        const index = row * (INPUT.width / stride) + column;
        const clipped = [cls[index] ?? 0, obj[index] ?? 0].map((score) => Math.min(Math.max(score, 0), 1));
        const score = Math.sqrt((clipped[0] ?? 0) * (clipped[1] ?? 0));
        if (score < minScore) continue;
        const centreX = (column + (bbox[4 * index] ?? 0)) * stride;
        const centreY = (row + (bbox[4 * index + 1] ?? 0)) * stride;
        const halfWidth = (Math.exp(bbox[4 * index + 2] ?? 0) * stride) / 2;
        const halfHeight = (Math.exp(bbox[4 * index + 3] ?? 0) * stride) / 2;
        const points = [0, 1, 2, 3, 4].map((n) => {
          const x = ((kps[10 * index + 2 * n] ?? 0) + column) * stride;
          return [x, ((kps[10 * index + 2 * n + 1] ?? 0) + row) * stride] as const;
        });
        faces.push({
          corners: [centreX - halfWidth, centreY - halfHeight, centreX + halfWidth, centreY + halfHeight],
          score,
          points,
        });
      }
    }
  }
  return faces;
}

test('decoding of YuNet agrees with the reference', () => {
  const outputs = outputsOf(1);
  const wanted = reference(outputs, 0.5);
  expect(wanted.length).toBeGreaterThan(40);
  expectSameFaces(YUNET.decode(outputs, INPUT, 0.5), wanted);
});

test('YuNet is recognised by its twelve tables for the size of the input', () => {
  const outputs = outputsOf(2);
  expect(YUNET.fits(outputs, INPUT)).toBe(true);
  expect(YUNET.fits(outputs, { width: 96, height: 96 })).toBe(false);
  expect(YUNET.fits(outputs.slice(1), INPUT)).toBe(false);
});

import { expect, test } from 'vitest';
import type { ModelOutput } from '../../../../../../src/inference/engine.ts';
import {
  YOLOV8_FACE,
  YOLOV8_FACE_HEADS,
} from '../../../../../../src/pipelines/dual-face/detection/layouts/yolov8-face.ts';
import { recogniseLayout } from '../../../../../../src/pipelines/dual-face/detection/layouts/recognise-layout.ts';
import { expectSameFaces, randomOutput, type ReferenceFace } from './reference-decoding.ts';

const INPUT = { width: 96, height: 64 };
const STRIDES = [8, 16, 32];
/** Gives 12x8, 6x4 and 3x2 cells. */
const CELLS = 126;

test('YOLOv8-face with decoded boxes agrees with the reference', () => {
  const output = randomOutput('output0', [1, 20, CELLS], [0, 1], 50);
  // Column after column, as after NumPy's transpose.
  const columns = Array.from({ length: CELLS }, (_, cell) =>
    Array.from({ length: 20 }, (_, row) => output.data[row * CELLS + cell] ?? 0),
  );
  const wanted = columns
    .filter((column) => (column[4] ?? 0) >= 0.4)
    .map(([x = 0, y = 0, width = 0, height = 0, score = 0, ...points]): ReferenceFace => {
      const corners = [x - width / 2, y - height / 2, x + width / 2, y + height / 2] as const;
      return {
        corners,
        score,
        points: [0, 3, 6, 9, 12].map((k) => [points[k] ?? 0, points[k + 1] ?? 0] as const),
      };
    });
  expect(wanted.length).toBeGreaterThan(50);
  expect(recogniseLayout([output], INPUT)).toBe(YOLOV8_FACE);
  expectSameFaces(YOLOV8_FACE.decode([output], INPUT, 0.4), wanted);
});

/** Like the Ultralytics head: softmax over 16 bins, dist2bbox around anchors at +0.5, kpts_decode. */
function referenceHeads(heads: readonly ModelOutput[], minScore: number): ReferenceFace[] {
  const faces: ReferenceFace[] = [];
  for (const [s, stride] of STRIDES.entries()) {
    const [height, width] = [INPUT.height / stride, INPUT.width / stride];
    const head = heads[s]?.data ?? new Float32Array();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = (channel: number) => head[channel * height * width + y * width + x] ?? 0;
        const score = 1 / (1 + Math.exp(-value(64)));
        if (score < minScore) continue;
        const distances = [0, 16, 32, 48].map((first) => {
          let [above, below] = [0, 0];
          for (let bin = 0; bin < 16; bin++) {
            above += bin * Math.exp(value(first + bin));
            below += Math.exp(value(first + bin));
          }
          return above / below;
        });
        const [anchorX, anchorY] = [x + 0.5, y + 0.5];
        const [left = 0, top = 0, right = 0, bottom = 0] = distances;
        faces.push({
          corners: [
            (anchorX - left) * stride,
            (anchorY - top) * stride,
            (anchorX + right) * stride,
            (anchorY + bottom) * stride,
          ],
          score,
          points: [65, 68, 71, 74, 77].map(
            (k) =>
              [
                (value(k) * 2 + (anchorX - 0.5)) * stride,
                (value(k + 1) * 2 + (anchorY - 0.5)) * stride,
              ] as const,
          ),
        });
      }
    }
  }
  return faces;
}

test('YOLOv8-face without its last layers agrees with the reference, in any order of the heads', () => {
  const heads = STRIDES.map((stride, s) =>
    randomOutput(`head${s}`, [1, 80, INPUT.height / stride, INPUT.width / stride], [-4, 4], 60 + s),
  );
  const wanted = referenceHeads(heads, 0.3);
  expect(wanted.length).toBeGreaterThan(40);
  expect(recogniseLayout(heads, INPUT)).toBe(YOLOV8_FACE_HEADS);
  expectSameFaces(YOLOV8_FACE_HEADS.decode(heads.toReversed(), INPUT, 0.3), wanted);
});

test('outputs without a known layout are rejected with their shapes', () => {
  const classifier = randomOutput('classes', [1, 1000], [0, 1], 70);
  expect(() => recogniseLayout([classifier], INPUT)).toThrow(
    'outputs with the shapes 1x1000 match no known face detector (BlazeFace full-range, YuNet, SCRFD, YOLOv8-face',
  );
});

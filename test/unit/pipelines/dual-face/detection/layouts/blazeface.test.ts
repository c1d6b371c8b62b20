import { expect, test } from 'vitest';
import { BLAZEFACE } from '../../../../../../src/pipelines/dual-face/detection/layouts/blazeface.ts';
import { expectSameFaces, randomOutput, type ReferenceFace } from './reference-decoding.ts';

const INPUT = { width: 64, height: 32 };
const OUTPUTS = [randomOutput('output', [1, 17, 8, 16], [-6, 6], 3)];

/**
 * Like MediaPipe's TensorsToDetectionsCalculator with the options of face_detection_full_range: anchors of size 1 at the
 * centres of the cells, values divided by the input's edge, corners from centre and size, all in 0..1.
 */
function reference(minScore: number): ReferenceFace[] {
  const numbers = OUTPUTS[0]?.data ?? new Float32Array();
  const at = (channel: number, row: number, column: number) =>
    numbers[(channel * 8 + row) * 16 + column] ?? 0;
  const faces: ReferenceFace[] = [];
  for (let row = 0; row < 8; row++) {
    for (let column = 0; column < 16; column++) {
      const clipped = Math.min(100, Math.max(-100, at(16, row, column)));
      const score = 1 / (1 + Math.exp(-clipped));
      if (score < minScore) continue;
      const [anchorX, anchorY] = [(column + 0.5) / 16, (row + 0.5) / 8];
      const x = (channel: number) => (at(channel, row, column) / INPUT.width + anchorX) * INPUT.width;
      const y = (channel: number) => (at(channel, row, column) / INPUT.height + anchorY) * INPUT.height;
      const [width, height] = [at(2, row, column), at(3, row, column)];
      faces.push({
        corners: [x(0) - width / 2, y(1) - height / 2, x(0) + width / 2, y(1) + height / 2],
        score,
        points: [4, 6, 8, 10, 12, 14].map((channel) => [x(channel), y(channel + 1)] as const),
      });
    }
  }
  return faces;
}

/** Random numbers also give boxes of negative size, whose overlap cannot be compared. */
const isABox = (left: number, top: number, right: number, bottom: number) => right > left && bottom > top;

test('decoding of BlazeFace agrees with the reference', () => {
  const wanted = reference(0.6).filter(({ corners }) => isABox(...corners));
  expect(wanted.length).toBeGreaterThan(10);
  const found = BLAZEFACE.decode(OUTPUTS, INPUT, 0.6);
  expectSameFaces(
    found.filter(({ box }) => box.width > 0 && box.height > 0),
    wanted,
  );
});

test('BlazeFace is recognised by its single output of 17 channels', () => {
  expect(BLAZEFACE.fits(OUTPUTS, INPUT)).toBe(true);
  expect(BLAZEFACE.fits(OUTPUTS, { width: 64, height: 64 })).toBe(false);
  expect(BLAZEFACE.fits([...OUTPUTS, ...OUTPUTS], INPUT)).toBe(false);
});

import { expect, test } from 'vitest';
import { lookQuality } from '../../../../../src/pipelines/dual-face/analysis/look-quality.ts';

const format = { width: 120, height: 120, pixelFormat: 'rgb24' } as const;
/** Stripes; with a greater slope, they have sharper edges. */
function stripes(slope: number): Buffer {
  return Buffer.from(
    Uint8Array.from({ length: 120 * 120 * 3 }, (_, i) => {
      const wave = Math.sin((Math.PI * (Math.floor(i / 3) % 120)) / 8);
      return 120 + 60 * Math.min(1, Math.max(-1, slope * wave));
    }),
  );
}
const sharp = { number: 0, pixels: stripes(20) };
/** A face whose nose is `aside` pixels from the middle between the eyes. */
const face = (aside: number, score = 0.9, height = 80) => ({
  box: { x: 20, y: 20, width: 64, height },
  score,
  landmarks: [
    { x: 40, y: 45 },
    { x: 70, y: 45 },
    { x: 55 + aside, y: 60 },
  ],
});

test('a frontal, sharp, certain and large face looks better', () => {
  const best = lookQuality(sharp, format, face(0));
  expect(lookQuality(sharp, format, face(12))).toBeLessThan(best / 2);
  expect(lookQuality(sharp, format, face(40))).toBeGreaterThan(0);
  expect(lookQuality({ number: 0, pixels: stripes(1) }, format, face(0))).toBeLessThan(best);
  expect(lookQuality(sharp, format, face(0, 0.6))).toBeLessThan(best);
  expect(lookQuality(sharp, format, face(0, 0.9, 40))).toBeLessThan(best);
});

test('a face at the edge of the image, or without landmarks, has a quality too', () => {
  const outside = { ...face(0), box: { x: -30, y: 100, width: 60, height: 60 } };
  for (const each of [outside, { ...face(0), landmarks: [] }])
    expect(Number.isFinite(lookQuality(sharp, format, each))).toBe(true);
  expect(lookQuality(sharp, format, { ...face(0), box: { x: 300, y: 300, width: 9, height: 9 } })).toBe(0);
});

import { expect, test } from 'vitest';
import { blendFace, FaceMasks, readFace } from '../../../../src/pipelines/lip-sync/face-image.ts';

const FORMAT = { width: 200, height: 150, pixelFormat: 'rgb24' } as const;
const BOX = { x: 31, y: 17, width: 77, height: 101 };

function image(): Buffer {
  return Buffer.from(
    Array.from({ length: 200 * 150 * 3 }, (_, i) => {
      const [x, y, color] = [Math.floor(i / 3) % 200, Math.floor(i / 600), i % 3];
      return Math.round(128 + 60 * Math.sin(x / 9 + color) + 60 * Math.cos(y / 7));
    }),
  );
}

test('a blended face changes nothing outside the lower half of its box', () => {
  const [before, pixels] = [image(), image()];
  blendFace(
    pixels,
    FORMAT,
    BOX,
    new Float32Array(3 * 9216).fill(1),
    new FaceMasks().of(BOX.width, BOX.height),
  );
  let changed = 0;
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i] === before[i]) continue;
    changed++;
    const [x, y] = [Math.floor(i / 3) % 200, Math.floor(i / 600)];
    const isLower = y >= BOX.y + 0.42 * BOX.height - 1 && y < BOX.y + BOX.height;
    expect(isLower && x >= BOX.x && x < BOX.x + BOX.width).toBe(true);
  }
  expect(changed).toBeGreaterThan(0.4 * 3 * BOX.width * BOX.height);
  // The middle of the mouth is what was drawn.
  expect(pixels[((BOX.y + 76) * 200 + BOX.x + 38) * 3]).toBe(255);
});

test.each([
  ['smaller', 1],
  ['larger', 1.8],
])('a face in a %s box that is drawn as it was read looks as before', (_, scale) => {
  const box = { x: 5, y: 6, width: Math.round(70 * scale), height: Math.round(76 * scale) };
  const [before, pixels] = [image(), image()];
  const face = readFace(pixels, FORMAT, box);
  blendFace(pixels, FORMAT, box, face, new FaceMasks().of(box.width, box.height));
  const worst = Math.max(...pixels.map((value, i) => Math.abs(value - (before[i] ?? 0))));
  expect(worst).toBeLessThan(6);
});

test('planes are blue, green and red, in 0..1', () => {
  const pixels = Buffer.from(Array.from({ length: 200 * 150 }, () => [255, 51, 0]).flat());
  const face = readFace(pixels, FORMAT, BOX);
  expect([face[0], face[9216], face[2 * 9216]].map((value) => value?.toFixed(3))).toEqual([
    '0.000',
    '0.200',
    '1.000',
  ]);
});

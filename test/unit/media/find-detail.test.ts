import { expect, test } from 'vitest';
import { findDetail } from '../../../src/media/still/find-detail.ts';

test('the detail is where the edges are', () => {
  const [width, height] = [200, 120];
  const pixels = new Uint8Array(3 * width * height);
  for (let y = 64; y < 96; y++)
    for (let x = 128; x < 176; x++)
      pixels.fill(255 * ((x + y) % 4 < 2 ? 1 : 0), 3 * (y * width + x), 3 * (y * width + x) + 3);
  const { extract } = findDetail(pixels, { width, height }, { width: 64, height: 48 });
  expect(extract.left).toBeLessThanOrEqual(128);
  expect(extract.left + 64).toBeGreaterThanOrEqual(176);
  expect(extract.top).toBeLessThanOrEqual(64);
  expect(extract.top + 48).toBeGreaterThanOrEqual(96);
});

test('an image that is no larger than the part is shown whole', () => {
  const size = { width: 30, height: 20 };
  expect(findDetail(new Uint8Array(1800), size, size)).toEqual({ extract: { left: 0, top: 0, ...size } });
});

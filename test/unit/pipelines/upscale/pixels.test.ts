import { expect, test } from 'vitest';
import { asComponents, maxComponent } from '../../../../src/pipelines/components.ts';
import { readPlanes, writePlanes } from '../../../../src/pipelines/upscale/pixels.ts';

test.each(['rgb24', 'rgb48le'] as const)(
  'every component value survives the conversion to planes and back: %s',
  (pixelFormat) => {
    const max = maxComponent({ pixelFormat });
    const width = (max + 1) / 4;
    const area = { x: 0, y: 0, width, height: 4 };
    const count = 3 * width * 4;
    const emptyFrame = () => (pixelFormat === 'rgb24' ? new Uint8Array(count) : new Uint16Array(count));
    const source = emptyFrame();
    for (let i = 0; i < count; i++) source[i] = Math.floor(i / 3) + (i % 3);
    const planes = new Float32Array(source.length);
    readPlanes(source, width, area, max, planes);
    const target = emptyFrame();
    writePlanes({ data: planes, width, height: 4 }, area, { x: 0, y: 0 }, target, width, max);
    expect(Buffer.from(target.buffer).equals(Buffer.from(source.buffer))).toBe(true);
  },
);

test('an area is read as red, green and blue planes and written to another position', () => {
  // A frame of 3x2 pixels whose components are numbered.
  const source = Uint8Array.from({ length: 18 }, (_, i) => i);
  const planes = new Float32Array(6);
  readPlanes(source, 3, { x: 1, y: 0, width: 1, height: 2 }, 255, planes);
  expect([...planes].map((value) => Math.round(value * 255))).toEqual([3, 12, 4, 13, 5, 14]);
  const target = new Uint8Array(18);
  const part = { x: 0, y: 1, width: 1, height: 1 };
  writePlanes({ data: planes, width: 1, height: 2 }, part, { x: 2, y: 1 }, target, 3, 255);
  expect([...target]).toEqual([...new Array<number>(15).fill(0), 12, 13, 14]);
});

test('values outside 0..1 are clamped, others rounded to the nearest', () => {
  const target = new Uint8Array(6);
  const data = Float32Array.of(-0.2, 0.4 / 255, 1.7, 0.6 / 255, 1, 254.6 / 255);
  writePlanes(
    { data, width: 2, height: 1 },
    { x: 0, y: 0, width: 2, height: 1 },
    { x: 0, y: 0 },
    target,
    2,
    255,
  );
  expect([...target]).toEqual([0, 255, 255, 0, 1, 255]);
});

test('16-bit components are little-endian at any alignment', () => {
  const bytes = Buffer.from([9, 0x34, 0x12, 0xff, 0x00]);
  expect([...asComponents(bytes.subarray(1), { pixelFormat: 'rgb48le' })]).toEqual([0x1234, 0x00ff]);
});

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { frameBytes, type Chroma, type RgbFormat } from '../../../src/domain/media-info.ts';
import type { YuvConversion } from '../../../src/domain/yuv-conversion.ts';
import { convertToYuv } from '../../../src/inference/convert-to-yuv.ts';
import { canConvertToYuv, createYuvConverter } from '../../../src/inference/yuv-converter.ts';
import type { OutputColor } from '../../../src/media/decode/color-conversion.ts';
import { toEncoderFilter, whiteOf } from '../../../src/media/decode/frame-filters.ts';
import { yuvConversion } from '../../../src/media/encode/yuv-conversion.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

interface Reference {
  readonly planes: readonly Float64Array[];
  readonly largest: number;
}
interface Doubles {
  testFrame(width: number, height: number, bytes: 1 | 2, white: number): Uint8Array | Uint16Array;
  yuvInDoubles(rgb: Uint8Array | Uint16Array, frame: object): Reference;
  psnrOf(converted: Uint8Array | Uint16Array, reference: Reference): [number, number, number];
}

const root = resolve(import.meta.dirname, '../../..');
const doubles = (await import(join(root, 'bench/yuv-reference.mjs'))) as Doubles;
const COLOR: OutputColor = {
  range: 'tv',
  matrix: 'bt709',
  primaries: null,
  transfer: null,
  chromaLocation: 'left',
};
const SIZE = { width: 66, height: 34 };

const CASES: readonly [string, OutputColor['range'], RgbFormat, Chroma, OutputColor['chromaLocation']][] = [
  ['bt709', 'tv', 'rgb24', '420', 'left'],
  ['smpte170m', 'pc', 'rgb24', '420', 'topleft'],
  ['bt2020nc', 'tv', 'rgb48le', '420', 'topleft'],
  ['bt709', 'pc', 'rgb48le', '420', 'left'],
  ['fcc', 'tv', 'rgb24', '422', 'left'],
  ['smpte240m', 'tv', 'rgb48le', '444', 'left'],
];

test.for(CASES)(
  '%s, %s: %s frames become YUV %s (%s) at least as exactly as by swscale, with and without the addon',
  async ([matrix, range, pixelFormat, chroma, location]) => {
    const color = { range, matrix, primaries: null, transfer: null, chromaLocation: location };
    const format = { ...SIZE, pixelFormat };
    const conversion = notNull(yuvConversion(format, color, chroma));
    const white = whiteOf(pixelFormat, range);
    const rgb = doubles.testFrame(SIZE.width, SIZE.height, conversion.bytesPerComponent, white);
    const reference = doubles.yuvInDoubles(rgb, { ...SIZE, matrix, range, chroma, location, white });
    const pixels = Buffer.from(rgb.buffer);
    const bytes = frameBytes({ ...SIZE, pixelFormat: conversion.pixelFormat });

    const converted = Buffer.allocUnsafeSlow(bytes);
    convertToYuv(conversion, pixels, converted);
    const found = doubles.psnrOf(samplesOf(converted, conversion), reference);
    const filter = toEncoderFilter(color, format, conversion.pixelFormat);
    const scaled = doubles.psnrOf(samplesOf(scaledBy(filter, pixels, pixelFormat), conversion), reference);
    // In a frame of this size, luck in rounding makes up a tenth of a dB.
    for (const [plane, psnr] of found.entries()) expect(psnr).toBeGreaterThan((scaled[plane] ?? 0) - 0.15);

    if (!canConvertToYuv()) return;
    const byAddon = Buffer.allocUnsafeSlow(bytes);
    await createYuvConverter(conversion)(pixels, byAddon);
    expect(byAddon.equals(converted)).toBe(true);
  },
);

test('frames with an odd width or height, and frames of YUV, are left to ffmpeg', () => {
  expect(yuvConversion({ width: 33, height: 2, pixelFormat: 'rgb24' }, COLOR, '420')).toBeNull();
  expect(yuvConversion({ width: 2, height: 33, pixelFormat: 'rgb24' }, COLOR, '444')).toBeNull();
  expect(yuvConversion({ ...SIZE, pixelFormat: 'yuv420p' }, COLOR, '420')).toBeNull();
});

test('a frame of another size is refused', async ({ skip }) => {
  if (!canConvertToYuv()) skip('the CPU addon is not built (npm run build:native needs g++)');
  const format = { ...SIZE, pixelFormat: 'rgb24' } as const;
  const convert = createYuvConverter(notNull(yuvConversion(format, COLOR, '420')));
  await expect(convert(Buffer.alloc(3), Buffer.alloc(3))).rejects.toThrow(
    "Cannot convert a frame to YUV: The length of frame or target does not match the frame's size.",
  );
});

function scaledBy(filter: string, pixels: Buffer, pixelFormat: string): Buffer {
  const path = join(temporaryFolder(), 'frame.rgb');
  writeFileSync(path, pixels);
  const size = ['-video_size', `${SIZE.width}x${SIZE.height}`];
  const input = ['-f', 'rawvideo', '-pixel_format', pixelFormat, ...size, '-i', path];
  const output = ['-vf', filter, '-f', 'rawvideo', 'pipe:1'];
  return execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...input, ...output]);
}

function samplesOf(bytes: Buffer, { bytesPerComponent }: YuvConversion): Uint8Array | Uint16Array {
  return bytesPerComponent === 1 ? bytes : new Uint16Array(new Uint8Array(bytes).buffer);
}

function notNull(conversion: YuvConversion | null): YuvConversion {
  if (conversion === null) throw new TypeError('There is no conversion.');
  return conversion;
}

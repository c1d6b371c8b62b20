import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { VideoStreamInfo } from '../../../src/domain/media-info.ts';
import { outputColor } from '../../../src/media/decode/color-conversion.ts';
import { toEncoderFilter, toFrameFilter } from '../../../src/media/decode/frame-filters.ts';

/** Luma coefficients of red and blue (ITU-R BT.601, BT.709 and BT.2020). */
const MATRICES = {
  smpte170m: [0.299, 0.114],
  bt709: [0.2126, 0.0722],
  bt2020nc: [0.2627, 0.0593],
} as const;
type Matrix = keyof typeof MATRICES;
type Range = 'tv' | 'pc';
type Color = readonly [number, number, number];

/** Each colour fills a square, so that neighbours do not reach its middle through shared chroma samples. */
const [SQUARE, COLUMNS] = [16, 64];

const RANGES = { tv: 'limited', pc: 'full' } as const;
const CASES = (['smpte170m', 'bt709', 'bt2020nc'] as const).flatMap((matrix) =>
  (['tv', 'pc'] as const).flatMap((range) => ([8, 10] as const).map((bits) => ({ matrix, range, bits }))),
);

test.each(CASES)('every level comes back: $matrix, range $range, $bits bit', ({ matrix, range, bits }) => {
  const format = bits === 8 ? 'yuv420p' : 'yuv420p10le';
  const colors = rampsOf(matrix, range, bits);
  const { planes } = roundTrip(format, colors, { matrix, range, bits });
  const worst = [0, 1, 2].map((plane) =>
    Math.max(...colors.map((color, i) => Math.abs((planes[plane]?.[i] ?? NaN) - (color[plane] ?? NaN)))),
  );
  console.log(
    `${colors.length} colours, ${RANGES[range]} range: Y, Cb and Cr change by up to ${worst.join(', ')}`,
  );
  expect(worst).toEqual([0, 0, 0]);
});

/** The largest accepted error in levels of the result, which has 8 or 10 bits: half of one is rounding. */
test.each([
  ['gray', 8, 'tv', 0.01],
  ['gray', 8, 'pc', 0.01],
  ['gray10le', 10, 'tv', 0.01],
  ['gray10le', 10, 'pc', 0.01],
  ['gray12le', 12, 'tv', 0.51],
  ['yuv420p12le', 12, 'tv', 0.51],
  ['yuv420p12le', 12, 'pc', 0.51],
  ['gbrp', 8, null, 0.51],
  ['gbrp10le', 10, null, 0.51],
  ['gbrp12le', 12, null, 0.51],
  ['rgb48le', 16, null, 0.51],
] as const)('every level of grey comes back: %s, %i bit, range %s', (format, bits, range, accepted) => {
  const [low, high] = limits(range ?? 'pc', bits);
  const levels = Array.from({ length: 256 }, (_, i) => Math.round(low + (i * (high - low)) / 255));
  const middle = 2 ** (bits - 1);
  const isRgb = range === null;
  const colors = levels.map((level): Color => (isRgb ? [level, level, level] : [level, middle, middle]));
  const { planes, bits: outBits } = roundTrip(format, colors, { matrix: 'bt709', range, bits });
  const [outLow, outHigh] = limits(range ?? 'tv', outBits);
  const errors = levels.map((level, i) => {
    const right = outLow + ((level - low) / (high - low)) * (outHigh - outLow);
    return Math.abs((planes[0]?.[i] ?? NaN) - right);
  });
  console.log(`${format}: up to ${Math.max(...errors).toFixed(2)}`);
  expect(Math.max(...errors)).toBeLessThan(accepted);
  expect(new Set([...(planes[1] ?? []), ...(planes[2] ?? [])])).toEqual(new Set([2 ** (outBits - 1)]));
});

/** Black and white of the luma. */
function limits(range: Range, bits: number): [number, number] {
  return range === 'tv' ? [16 * 2 ** (bits - 8), 235 * 2 ** (bits - 8)] : [0, 2 ** bits - 1];
}

/** All greys, and ramps of chroma at three levels of luma, as far as RGB can show them. */
function rampsOf(matrix: Matrix, range: Range, bits: number): Color[] {
  const [black, white] = limits(range, bits);
  const middle = 2 ** (bits - 1);
  const greys = Array.from({ length: white - black + 1 }, (_, i): Color => [black + i, middle, middle]);
  const reach = range === 'tv' ? 112 * 2 ** (bits - 8) : middle - 1;
  const steps = Array.from(
    { length: Math.floor((2 * reach) / (bits - 7)) + 1 },
    (_, i) => i * (bits - 7) - reach,
  );
  const chroma = [0.25, 0.5, 0.75].flatMap((level) => {
    const y = Math.round(black + level * (white - black));
    return steps.flatMap((c): Color[] => [
      [y, middle + c, middle],
      [y, middle, middle + c],
      [y, middle + c, middle - c],
    ]);
  });
  return [...greys, ...chroma.filter((color) => isInRgb(color, matrix, range, bits))];
}

function isInRgb([y, u, v]: Color, matrix: Matrix, range: Range, bits: number): boolean {
  const [kr, kb] = MATRICES[matrix];
  const [black, white] = limits(range, bits);
  const chromaSpan = range === 'tv' ? 224 * 2 ** (bits - 8) : white;
  const [luma, cb, cr] = [
    (y - black) / (white - black),
    (u - 2 ** (bits - 1)) / chromaSpan,
    (v - 2 ** (bits - 1)) / chromaSpan,
  ];
  const [r, b] = [luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb];
  const g = (luma - kr * r - kb * b) / (1 - kr - kb);
  return [r, g, b].every((value) => value >= 0 && value <= 1);
}

/** Converts squares of these colours to RGB and back as a job does, and reads the middle of each square. */
function roundTrip(
  format: string,
  colors: readonly Color[],
  { matrix, range, bits }: { matrix: Matrix; range: Range | null; bits: number },
): { planes: number[][]; bits: 8 | 10 } {
  const [width, height] = [COLUMNS * SQUARE, Math.ceil(colors.length / COLUMNS) * SQUARE];
  const size = `${width}x${height}`;
  const video = {
    ...{ width, height, pixelFormat: format, bitsPerComponent: bits },
    ...{ sampleAspectRatio: { num: 1, den: 1 }, rotationDegrees: 0, mirrored: false },
    color: { range, matrix, primaries: null, transfer: null, chromaLocation: null },
  } as unknown as VideoStreamInfo;
  const rgb = bits === 8 ? 'rgb24' : 'rgb48le';
  const frames = { width, height, pixelFormat: rgb } as const;
  const result = bits === 8 ? 'yuv420p' : 'yuv420p10le';
  const toRgb = convert(
    draw(format, colors, { width, height, bits }),
    format,
    size,
    toFrameFilter(video, frames),
  );
  const back = convert(toRgb, rgb, size, toEncoderFilter(outputColor(video), frames, result));
  const sample = (at: number) => (bits === 8 ? (back[at] ?? NaN) : back.readUInt16LE(2 * at));
  const planes = [1, 2, 2].map((step, plane) =>
    colors.map((_, i) => {
      const [x, y] = centre(i).map((value) => value / step) as [number, number];
      const offset = plane === 0 ? 0 : width * height * (1 + (plane - 1) / 4);
      return sample(offset + (y * width) / step + x);
    }),
  );
  return { planes, bits: bits === 8 ? 8 : 10 };
}

function centre(i: number): [number, number] {
  return [((i % COLUMNS) + 0.5) * SQUARE, (Math.floor(i / COLUMNS) + 0.5) * SQUARE];
}

function draw(
  format: string,
  colors: readonly Color[],
  { width, height, bits }: { width: number; height: number; bits: number },
): Buffer {
  const isPacked = format === 'rgb48le';
  const planes =
    format.startsWith('gray') || isPacked ? [1] : format.startsWith('gbrp') ? [1, 1, 1] : [1, 2, 2];
  const bytes = bits === 8 ? 1 : 2;
  return Buffer.concat(
    planes.map((step, plane) => {
      const perPixel = isPacked ? 3 : 1;
      const buffer = Buffer.alloc((width / step) * (height / step) * bytes * perPixel);
      for (let i = 0; i < buffer.length / bytes; i++) {
        const [x, y] = [Math.floor(i / perPixel) % (width / step), Math.floor(i / perPixel / (width / step))];
        const square = Math.floor((y * step) / SQUARE) * COLUMNS + Math.floor((x * step) / SQUARE);
        buffer.writeUIntLE((colors[square] ?? colors[0])?.[plane] ?? 0, i * bytes, bytes);
      }
      return buffer;
    }),
  );
}

function convert(input: Buffer, format: string, size: string, filter: string): Buffer {
  const raw = ['-f', 'rawvideo', '-pix_fmt', format, '-s', size, '-i', '-'];
  const args = ['-v', 'error', ...raw, '-vf', filter, '-f', 'rawvideo', '-'];
  return execFileSync('ffmpeg', args, { input, maxBuffer: 1 << 28 });
}

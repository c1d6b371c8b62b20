import { beforeAll, describe, expect, test } from 'vitest';
import { compileToPtx, whyNoPtx } from '../helpers/ptx/compile-kernels.ts';
import {
  DeviceData,
  Image,
  integers,
  NO_TENSOR,
  offsetOf,
  randomNumbers,
  Struct,
} from '../helpers/ptx/device-data.ts';
import { coding, isYuv, type Layout, layoutStruct, Samples } from '../helpers/ptx/image-formats.ts';
import { errorOf, runPieces } from '../helpers/ptx/run-pixels.ts';

const THREADS = 256;
const random = randomNumbers(3);
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

const LAYOUTS: readonly Layout[] = [
  { format: 'planar' },
  { format: 'rgb24' },
  { format: 'rgb48' },
  { format: 'yuv420p', matrix: 0 },
  { format: 'nv12', fullRange: true },
  { format: 'yuv420p10', matrix: 2 },
  { format: 'p010' },
];

describe.skipIf(whyNoPtx !== null)(`images as PTX${whyNoPtx === null ? '' : ` (${whyNoPtx})`}`, () => {
  let ptx = '';
  beforeAll(() => {
    ptx = compileToPtx('image', '80');
  });

  test.each(LAYOUTS)('a window of $format is read', (layout) => {
    const data = new DeviceData();
    const samples = new Samples(layout, 11, 15);
    const { largest, shift } = samples;
    samples.values.forEach((_, i) => {
      const value = random(0, largest);
      samples.values[i] = layout.format === 'planar' ? value : Math.round(value) << shift;
    });
    const image = data.add(samples.values);
    const y = new Image(6, 9, 3).addTo(data);
    const [top, left] = [3, 5];
    const parameters = new Struct(
      ['u64', image],
      ['struct', layoutStruct(layout)],
      ...integers(11, 15, top, left),
      ['struct', y.struct],
    );
    const memory = runPieces(ptx, 'ReadImageKernel', [6 * 9, THREADS], parameters, data);
    const error = errorOf(
      y,
      memory,
      (row, column, channel) => colour(samples, top + row, left + column)[channel] ?? NaN,
    );
    expect(error).toBeLessThan(1e-3);
  });

  test.each(LAYOUTS)('a tensor is shuffled and written as $format', (layout) => {
    const data = new DeviceData();
    const x = new Image(6, 8, 12).fill(() => random(-0.1, 1.1)).addTo(data);
    const base = new Image(6, 8, 3).fill(() => random(0, 0.5)).addTo(data);
    const samples = new Samples(layout, 12, 16);
    const image = data.add(samples.values);
    const window = { fromTop: 2, fromLeft: 4, height: 7, width: 9, toTop: 4, toLeft: 2 };
    const parameters = new Struct(
      ['struct', x.struct],
      ['i32', 2],
      ['struct', layout.format === 'rgb48' ? NO_TENSOR : base.struct],
      ['f32', 0.75],
      ['f32', 0.5],
      ['u64', image],
      ['struct', layoutStruct(layout)],
      ...integers(12, 16, ...Object.values(window)),
    );
    const pieces = isYuv(layout) ? 4 * 5 : 7 * 9;
    const memory = runPieces(
      ptx,
      isYuv(layout) ? 'WriteYuvKernel' : 'WriteRgbKernel',
      [pieces, THREADS],
      parameters,
      data,
    );
    const offset = offsetOf(image);
    const bytes = memory.bytes.slice(offset, offset + samples.values.byteLength);
    new Uint8Array(samples.values.buffer).set(bytes);

    const rgb = (row: number, column: number): number[] => {
      const [r, c] = [row >> 1, column >> 1];
      return [0, 1, 2].map((channel) => {
        const value = 0.75 * x.at(r, c, (channel * 2 + (row % 2)) * 2 + (column % 2));
        const sum = layout.format === 'rgb48' ? value : value + 0.5 * base.at(r, c, channel);
        return layout.format === 'planar' ? sum : clamp(sum, 0, 1);
      });
    };
    const { error, kept } = compare(samples, window, rgb);
    expect(error).toBeLessThan(layout.format === 'planar' ? 1e-5 : 0.51);
    // Nothing beside the window is written, and there is something beside it.
    expect(kept).toBe(true);
  });
});

/** Red, green and blue of a pixel: chroma lies at even columns and between two rows. */
function colour(samples: Samples, y: number, x: number): readonly number[] {
  if (!isYuv(samples.layout))
    return [0, 1, 2].map((component) => samples.sample(component, y, x) / samples.largest);
  const { kr, kb, luma, chroma } = coding(samples);
  const [rows, columns] = [Math.ceil(samples.height / 2), Math.ceil(samples.width / 2)];
  const farY = clamp((y >> 1) + (y % 2 === 0 ? -1 : 1), 0, rows - 1);
  const farX = x % 2 === 0 ? x >> 1 : Math.min((x >> 1) + 1, columns - 1);
  const at = (component: number): number => {
    const row = (r: number): number =>
      (samples.sample(component, r, x >> 1) + samples.sample(component, r, farX)) / 2;
    return (0.75 * row(y >> 1) + 0.25 * row(farY) - chroma[1]) / chroma[0];
  };
  const light = (samples.sample(0, y, x) - luma[1]) / luma[0];
  const red = light + 2 * (1 - kr) * at(2);
  const blue = light + 2 * (1 - kb) * at(1);
  return [red, (light - kr * red - kb * blue) / (1 - kr - kb), blue];
}

interface Window {
  readonly fromTop: number;
  readonly fromLeft: number;
  readonly height: number;
  readonly width: number;
  readonly toTop: number;
  readonly toLeft: number;
}

/** The largest distance of a sample of the window from its true value, and whether all others are untouched. */
function compare(
  samples: Samples,
  { fromTop, fromLeft, height, width, toTop, toLeft }: Window,
  rgb: (row: number, column: number) => readonly number[],
): { error: number; kept: boolean } {
  const touched = new Set<number>();
  let error = 0;
  const check = (component: number, y: number, x: number, wanted: number): void => {
    touched.add(samples.index(component, y, x));
    const distance = Math.abs(samples.sample(component, y, x) - wanted);
    error = Math.max(error, Number.isNaN(distance) ? Infinity : distance);
  };
  const yuv = isYuv(samples.layout);
  const { kr, kb, luma, chroma } = coding(samples);
  const lumaOf = ([r = 0, g = 0, b = 0]: readonly number[]): number => kr * r + (1 - kr - kb) * g + kb * b;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const pixel = rgb(fromTop + row, fromLeft + column);
      if (!yuv) pixel.forEach((value, i) => check(i, toTop + row, toLeft + column, value * samples.largest));
      else check(0, toTop + row, toLeft + column, lumaOf(pixel) * luma[0] + luma[1]);
      if (!yuv || row % 2 === 1 || column % 2 === 1) continue;
      let [cb, cr] = [0, 0];
      for (const [dy, dx, weight] of [-1, 0, 1].flatMap((c) =>
        [0, 1].map((r) => [r, c, c === 0 ? 0.25 : 0.125] as const),
      )) {
        const near = rgb(
          clamp(fromTop + Math.min(row + dy, height - 1), 0, 11),
          clamp(fromLeft + Math.min(column + dx, width - 1), 0, 15),
        );
        cb += (weight * ((near[2] ?? 0) - lumaOf(near))) / (2 * (1 - kb));
        cr += (weight * ((near[0] ?? 0) - lumaOf(near))) / (2 * (1 - kr));
      }
      const [y, x] = [(toTop + row) / 2, (toLeft + column) / 2];
      check(1, y, x, clamp(cb * chroma[0] + chroma[1], 0, samples.largest));
      check(2, y, x, clamp(cr * chroma[0] + chroma[1], 0, samples.largest));
    }
  }
  const untouched = [...samples.values.keys()].filter((i) => !touched.has(i));
  return { error, kept: untouched.length > 0 && untouched.every((i) => samples.values[i] === 0) };
}

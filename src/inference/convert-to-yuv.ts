import type { YuvConversion } from '../domain/yuv-conversion.ts';

const { fround } = Math;

/** Weights of samples at distances of 0, 1 and 3 pixels, and at 0.5, 1.5, 2.5 and 3.5, as in native-cpu/engine/yuv.cc. */
const [AT_0, AT_1, AT_3] = [0.5, 0.2875, -0.0375].map(fround) as [number, number, number];
const HALVES = [0.4359375, 0.1203125, -0.0421875, -0.0140625].map(fround) as [number, number, number, number];

/**
 * Converts a frame of packed RGB to planar YUV as native-cpu/engine/yuv.cc does, with the same numbers of 32 bits in the same order, so
 * that it gives the same bytes.
 */
export function convertToYuv(conversion: YuvConversion, pixels: Uint8Array, target: Uint8Array): void {
  const { width, height, bytesPerComponent, halvesColumns, halvesRows } = conversion;
  const { uScale, vScale, chromaOffset, lumaScale, lumaOffset } = conversion;
  const [rgb, yuv] = [componentsOf(pixels, bytesPerComponent), componentsOf(target, bytesPerComponent)];
  const sums = [conversion.red, conversion.green, conversion.blue].map(fround) as [number, number, number];
  const [u, v] = [new Float32Array(width * height), new Float32Array(width * height)];
  const write = writer(yuv, conversion.largest);
  for (let i = 0; i < width * height; i++) {
    const [red, green, blue] = [rgb[3 * i] ?? 0, rgb[3 * i + 1] ?? 0, rgb[3 * i + 2] ?? 0];
    const luma = fround(fround(fround(sums[0] * red) + fround(sums[1] * green)) + fround(sums[2] * blue));
    u[i] = blue - luma;
    v[i] = red - luma;
    write(i, luma, lumaScale, lumaOffset);
  }
  let at = width * height;
  for (const [plane, scale] of [
    [u, uScale],
    [v, vScale],
  ] as const) {
    const columns = halvesColumns ? halveColumns(plane, width, height) : plane;
    const halved = halvesRows ? halveRows(columns, width / 2, height, conversion.betweenRows) : columns;
    for (const value of halved) write(at++, value, scale, chromaOffset);
  }
}

function componentsOf(bytes: Uint8Array, bytesPerComponent: 1 | 2): Uint8Array | Uint16Array {
  if (bytesPerComponent === 1) return bytes;
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}

function writer(
  samples: Uint8Array | Uint16Array,
  largest: number,
): (index: number, value: number, scale: number, offset: number) => void {
  return (index, value, scale, offset) => {
    const sum = fround(fround(value * fround(scale)) + fround(fround(offset) + 0.5));
    samples[index] = Math.min(Math.max(Math.trunc(sum), 0), largest);
  };
}

function halveColumns(plane: Float32Array, width: number, height: number): Float32Array {
  const halved = new Float32Array((width / 2) * height);
  for (let row = 0; row < height; row++) {
    const at = (column: number): number => plane[row * width + Math.min(Math.max(column, 0), width - 1)] ?? 0;
    for (let column = 0; column < width; column += 2) {
      const near = fround(AT_1 * fround(at(column - 1) + at(column + 1)));
      const far = fround(AT_3 * fround(at(column - 3) + at(column + 3)));
      halved[(row * width + column) / 2] = fround(fround(AT_0 * at(column)) + near) + far;
    }
  }
  return halved;
}

function halveRows(plane: Float32Array, width: number, height: number, betweenRows: boolean): Float32Array {
  const halved = new Float32Array((width * height) / 2);
  for (let row = 0; row < height; row += 2)
    for (let column = 0; column < width; column++) {
      const at = (number: number): number =>
        plane[Math.min(Math.max(number, 0), height - 1) * width + column] ?? 0;
      halved[(row / 2) * width + column] = betweenRows ? between(at, row) : inFirst(at, row);
    }
  return halved;
}

function between(at: (row: number) => number, row: number): number {
  const pair = (distance: number): number =>
    fround((HALVES[distance] ?? 0) * fround(at(row - distance) + at(row + 1 + distance)));
  return fround(fround(fround(pair(0) + pair(1)) + pair(2)) + pair(3));
}

function inFirst(at: (row: number) => number, row: number): number {
  const near = fround(AT_1 * fround(at(row - 1) + at(row + 1)));
  const far = fround(AT_3 * fround(at(row - 3) + at(row + 3)));
  return fround(fround(fround(AT_0 * at(row)) + near) + far);
}

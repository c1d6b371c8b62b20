import type { Box } from '../tracking/box.ts';
import type { Size } from './input-shape.ts';

/** Normalisation of a model's input: (pixel - subtract) * factor for pixels in 0..255. */
export interface InputRange {
  readonly order: 'rgb' | 'bgr';
  readonly subtract: number;
  readonly factor: number;
}

/** Position of an area of the frame in the model's input. */
export interface Letterbox {
  /** Input pixels per frame pixel. */
  readonly scale: number;
  /** The area in pixels of the input. */
  readonly inside: Box;
}

/** Fits an area into a model's input: as large as possible, centred, with its proportions. */
export function fitInto(area: Size, input: Size): Letterbox {
  const scale = Math.min(input.width / area.width, input.height / area.height);
  const width = Math.max(1, Math.round(area.width * scale));
  const height = Math.max(1, Math.round(area.height * scale));
  const x = Math.floor((input.width - width) / 2);
  const y = Math.floor((input.height - height) / 2);
  return { scale, inside: { x, y, width, height } };
}

/** Positions to read on one axis and their weights, `count` for each pixel of the input. */
interface Taps {
  readonly count: number;
  readonly positions: Int32Array;
  readonly weights: Float32Array;
}

/** Maximum number of samples per pixel along each axis. More samples do not find more faces in 1080p frames. */
const MAX_SAMPLES = 3;

/**
 * Converts an area of packed RGB to a model's input: three planes with the area in the centre and black around it. Pixels
 * are interpolated bilinearly, with several samples per input pixel when shrinking, so that fine patterns do not flicker.
 *
 * @param frameWidth pixels per row of `pixels`
 */
export function readInput(
  pixels: Uint8Array,
  frameWidth: number,
  area: Box,
  input: Size,
  range: InputRange,
): { readonly data: Float32Array; readonly letterbox: Letterbox } {
  const letterbox = fitInto(area, input);
  const { inside } = letterbox;
  const plane = input.width * input.height;
  const data = new Float32Array(3 * plane).fill(-range.subtract * range.factor);
  const [columns, rows] = [tapsOf(area.width, inside.width), tapsOf(area.height, inside.height)];
  const [first, last] = range.order === 'rgb' ? [0, 2 * plane] : [2 * plane, 0];
  for (let y = 0; y < inside.height; y++) {
    for (let x = 0; x < inside.width; x++) {
      let [red, green, blue] = [0, 0, 0];
      for (let i = y * rows.count; i < (y + 1) * rows.count; i++) {
        const row = ((area.y + (rows.positions[i] ?? 0)) * frameWidth + area.x) * 3;
        const weight = rows.weights[i] ?? 0;
        for (let j = x * columns.count; j < (x + 1) * columns.count; j++) {
          const at = row + (columns.positions[j] ?? 0) * 3;
          const share = weight * (columns.weights[j] ?? 0);
          red += share * (pixels[at] ?? 0);
          green += share * (pixels[at + 1] ?? 0);
          blue += share * (pixels[at + 2] ?? 0);
        }
      }
      const to = (inside.y + y) * input.width + inside.x + x;
      data[to + first] = (red - range.subtract) * range.factor;
      data[to + plane] = (green - range.subtract) * range.factor;
      data[to + last] = (blue - range.subtract) * range.factor;
    }
  }
  return { data, letterbox };
}

function tapsOf(from: number, to: number): Taps {
  const step = from / to;
  const samples = Math.min(MAX_SAMPLES, Math.max(1, Math.ceil(step / 2)));
  const count = 2 * samples;
  const [positions, weights] = [new Int32Array(to * count), new Float32Array(to * count)];
  for (let pixel = 0, tap = 0; pixel < to; pixel++) {
    for (let sample = 0; sample < samples; sample++) {
      const at = (pixel + (sample + 0.5) / samples) * step - 0.5;
      const before = Math.floor(at);
      for (const [position, weight] of [
        [before, before + 1 - at],
        [before + 1, at - before],
      ] as const) {
        positions[tap] = Math.min(from - 1, Math.max(0, position));
        weights[tap++] = weight / samples;
      }
    }
  }
  return { count, positions, weights };
}

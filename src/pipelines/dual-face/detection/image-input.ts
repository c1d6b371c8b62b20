import type { Box } from '../tracking/box.ts';
import type { Size } from './input-shape.ts';

/** How a model wants its numbers: (pixel - subtract) * factor of pixels in 0..255. */
export interface InputRange {
  readonly order: 'rgb' | 'bgr';
  readonly subtract: number;
  readonly factor: number;
}

/** Where an area of the frame lies in the model's input. */
export interface Letterbox {
  /** Input pixels that a pixel of the frame becomes. */
  readonly scale: number;
  /** Of the area's image in the input. */
  readonly inside: Box;
}

/** An area as large as fits into a model's input, its proportions kept, in the middle. */
export function fitInto(area: Size, input: Size): Letterbox {
  const scale = Math.min(input.width / area.width, input.height / area.height);
  const width = Math.max(1, Math.round(area.width * scale));
  const height = Math.max(1, Math.round(area.height * scale));
  const x = Math.floor((input.width - width) / 2);
  const y = Math.floor((input.height - height) / 2);
  return { scale, inside: { x, y, width, height } };
}

/** Places to read on one axis and their weights, `count` for each pixel of the input. */
interface Taps {
  readonly count: number;
  readonly places: Int32Array;
  readonly weights: Float32Array;
}

/** More samples for a pixel find no more faces: a sixth of the pixels of a 1080p frame in 192x192. */
const MOST_SAMPLES = 3;

/**
 * An area of packed RGB as a model's input: three planes, the area in the middle, black around it. Pixels are read
 * bilinearly, at several places for one of the input where the image shrinks, so that fine patterns do not flicker.
 *
 * @param frameWidth pixels a row of `pixels`
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
        const row = ((area.y + (rows.places[i] ?? 0)) * frameWidth + area.x) * 3;
        const weight = rows.weights[i] ?? 0;
        for (let j = x * columns.count; j < (x + 1) * columns.count; j++) {
          const at = row + (columns.places[j] ?? 0) * 3;
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
  const samples = Math.min(MOST_SAMPLES, Math.max(1, Math.ceil(step / 2)));
  const count = 2 * samples;
  const [places, weights] = [new Int32Array(to * count), new Float32Array(to * count)];
  for (let pixel = 0, tap = 0; pixel < to; pixel++) {
    for (let sample = 0; sample < samples; sample++) {
      const at = (pixel + (sample + 0.5) / samples) * step - 0.5;
      const before = Math.floor(at);
      for (const [place, weight] of [
        [before, before + 1 - at],
        [before + 1, at - before],
      ] as const) {
        places[tap] = Math.min(from - 1, Math.max(0, place));
        weights[tap++] = weight / samples;
      }
    }
  }
  return { count, places, weights };
}

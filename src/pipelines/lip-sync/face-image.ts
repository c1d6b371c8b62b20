import type { FrameFormat } from '../../domain/media-info.ts';
import { maxComponent, type Components } from '../components.ts';
import { CUBIC, tapsOf, type Taps } from '../dual-face/composition/taps.ts';
import type { Box } from '../dual-face/tracking/box.ts';
import { FACE_EDGE } from './wav2lip-layout.ts';

const PLANE = FACE_EDGE * FACE_EDGE;

/** The part of a frame in a box of whole pixels inside the frame, as 96x96 pixels in planes of blue, green and red, 0..1. */
export function readFace(pixels: Components, format: FrameFormat, box: Box): Float32Array {
  const columns = tapsOf(shrunk(box.x, box.width), CUBIC);
  const rows = tapsOf(shrunk(box.y, box.height), CUBIC);
  const scale = 1 / maxComponent(format);
  const narrow = new Float32Array(box.height * FACE_EDGE * 3);
  for (let y = 0; y < box.height; y++)
    for (let x = 0; x < FACE_EDGE; x++)
      for (let color = 0; color < 3; color++) {
        const start = ((box.y + y) * format.width + (columns.first[x] ?? 0)) * 3 + color;
        narrow[(y * FACE_EDGE + x) * 3 + color] = weighted(pixels, start, 3, columns, x);
      }
  const face = new Float32Array(3 * PLANE);
  for (let y = 0; y < FACE_EDGE; y++)
    for (let x = 0; x < FACE_EDGE; x++)
      for (let color = 0; color < 3; color++) {
        const start = (((rows.first[y] ?? 0) - box.y) * FACE_EDGE + x) * 3 + color;
        const value = weighted(narrow, start, 3 * FACE_EDGE, rows, y) * scale;
        face[(2 - color) * PLANE + y * FACE_EDGE + x] = Math.max(0, Math.min(1, value));
      }
  return face;
}

/** Parts of the face, from its upper edge down and from each side, over which what is drawn fades in and out. */
const FADE_IN = [0.42, 0.55] as const;
const FADE_OUT = 0.06;

/** How much of a drawn face each pixel of a box shows, 0..1: the lower half, with soft edges. */
export class FaceMasks {
  readonly #masks = new Map<string, Float32Array>();

  of(width: number, height: number): Float32Array {
    const key = `${width}x${height}`;
    let mask = this.#masks.get(key);
    if (mask === undefined) {
      // The boxes of a moving face have some hundred sizes.
      if (this.#masks.size >= MOST_MASKS) this.#masks.clear();
      mask = maskOf(width, height);
      this.#masks.set(key, mask);
    }
    return mask;
  }
}

const MOST_MASKS = 64;

function maskOf(width: number, height: number): Float32Array {
  const mask = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const down = (y + 0.5) / height;
    const upright = Math.min(
      smooth((down - FADE_IN[0]) / (FADE_IN[1] - FADE_IN[0])),
      smooth((1 - down) / FADE_OUT),
    );
    for (let x = 0; x < width; x++) {
      const across = (x + 0.5) / width;
      mask[y * width + x] = upright * smooth(Math.min(across, 1 - across) / FADE_OUT);
    }
  }
  return mask;
}

function smooth(share: number): number {
  const inside = Math.max(0, Math.min(1, share));
  return inside * inside * (3 - 2 * inside);
}

/**
 * Blends a drawn face into a frame. Pixels outside the mask are not touched.
 *
 * @param pixels of the frame, which are changed
 * @param face as of `readFace`
 */
export function blendFace(
  pixels: Components,
  format: FrameFormat,
  box: Box,
  face: Float32Array,
  mask: Float32Array,
): void {
  const columns = tapsOf(enlarged(box.width), CUBIC);
  const rows = tapsOf(enlarged(box.height), CUBIC);
  const largest = maxComponent(format);
  const wide = new Float32Array(FACE_EDGE * box.width);
  for (let color = 0; color < 3; color++) {
    const plane = (2 - color) * PLANE;
    for (let y = 0; y < FACE_EDGE; y++)
      for (let x = 0; x < box.width; x++) {
        const start = plane + y * FACE_EDGE + (columns.first[x] ?? 0);
        wide[y * box.width + x] = weighted(face, start, 1, columns, x);
      }
    for (let y = Math.floor(FADE_IN[0] * box.height); y < box.height; y++)
      for (let x = 0; x < box.width; x++) {
        const share = mask[y * box.width + x] ?? 0;
        if (share === 0) continue;
        const drawn = weighted(wide, (rows.first[y] ?? 0) * box.width + x, box.width, rows, y) * largest;
        const at = ((box.y + y) * format.width + box.x + x) * 3 + color;
        const before = pixels[at] ?? 0;
        pixels[at] = Math.max(0, Math.min(largest, Math.round(before + (drawn - before) * share)));
      }
  }
}

function shrunk(from: number, length: number) {
  return { from, length, scaled: FACE_EDGE, skip: 0, shown: FACE_EDGE, at: 0 };
}

function enlarged(length: number) {
  return { from: 0, length: FACE_EDGE, scaled: length, skip: 0, shown: length, at: 0 };
}

/** The weighted mean of values from `start` on, `step` apart. */
function weighted(
  values: Components | Float32Array,
  start: number,
  step: number,
  { count, weights }: Taps,
  position: number,
): number {
  let sum = 0;
  for (let tap = 0; tap < count; tap++)
    sum += (values[start + tap * step] ?? 0) * (weights[position * count + tap] ?? 0);
  return sum;
}

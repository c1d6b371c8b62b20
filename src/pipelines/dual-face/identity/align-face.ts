import type { Face, Point } from '../detection/face.ts';

/** A rotated square of the frame: its centre, its edge in pixels, and the angle of its upper edge in radians. */
export interface AlignedSquare {
  readonly centre: Point;
  readonly edge: number;
  readonly angle: number;
}

/** Distance from eyes to mouth, and vertical position of their centroid, as shares of the edge (face-api's `alignDlib`). */
const EYES_TO_MOUTH = 0.45;
const MIDDLE_DOWN = 0.43;
/** Maximum number of samples per pixel along each axis when the face is larger than the model's input. */
const MAX_SAMPLES = 4;

/**
 * The square that a model trained on dlib's face chips expects around a face, rotated so that the eyes are level; null
 * if the landmarks of eyes and mouth are missing or coincide.
 */
export function squareOf({ landmarks }: Face): AlignedSquare | null {
  const [rightEye, leftEye, , firstCorner, secondCorner, another] = landmarks;
  if (rightEye === undefined || leftEye === undefined || firstCorner === undefined) return null;
  // Five landmarks end with both corners of the mouth; six have its centre, followed by the ears.
  const mouth =
    another === undefined && secondCorner !== undefined ? middle(firstCorner, secondCorner) : firstCorner;
  const eyeToMouth = (distance(rightEye, mouth) + distance(leftEye, mouth)) / 2;
  const edge = eyeToMouth / EYES_TO_MOUTH;
  const angle = Math.atan2(leftEye.y - rightEye.y, leftEye.x - rightEye.x);
  if (!(edge >= 1)) return null;
  const reference = {
    x: (rightEye.x + leftEye.x + mouth.x) / 3,
    y: (rightEye.y + leftEye.y + mouth.y) / 3,
  };
  const down = (0.5 - MIDDLE_DOWN) * edge;
  const centre = { x: reference.x - Math.sin(angle) * down, y: reference.y + Math.cos(angle) * down };
  return { centre, edge, angle };
}

/**
 * Samples a square into planes of red, green and blue with `size` x `size` values in 0..255. Outside the frame, the
 * nearest pixel of its edge is used.
 *
 * @param pixels packed RGB of 8 bits
 */
export function readSquare(
  pixels: Uint8Array,
  width: number,
  height: number,
  { centre, edge, angle }: AlignedSquare,
  size: number,
): Float32Array {
  const step = edge / size;
  const samples = Math.min(MAX_SAMPLES, Math.max(1, Math.ceil(step)));
  const [cos, sin] = [Math.cos(angle) * step, Math.sin(angle) * step];
  const planes = new Float32Array(3 * size * size);
  const colour = [0, 0, 0];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      colour.fill(0);
      for (let i = 0; i < samples * samples; i++) {
        const right = column + ((i % samples) + 0.5) / samples - size / 2;
        const down = row + (Math.floor(i / samples) + 0.5) / samples - size / 2;
        const x = centre.x + right * cos - down * sin - 0.5;
        const y = centre.y + right * sin + down * cos - 0.5;
        addPixel(pixels, width, height, x, y, colour);
      }
      const at = row * size + column;
      for (let c = 0; c < 3; c++) planes[c * size * size + at] = (colour[c] ?? 0) / (samples * samples);
    }
  }
  return planes;
}

/** Adds the bilinearly interpolated colour at a position. */
function addPixel(
  pixels: Uint8Array,
  width: number,
  height: number,
  x: number,
  y: number,
  colour: number[],
): void {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  for (let i = 0; i < 4; i++) {
    const [column, row] = [left + (i & 1), top + (i >> 1)];
    const weight = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
    const inside = Math.min(height - 1, Math.max(0, row)) * width + Math.min(width - 1, Math.max(0, column));
    for (let c = 0; c < 3; c++) colour[c] = (colour[c] ?? 0) + weight * (pixels[inside * 3 + c] ?? 0);
  }
}

function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

import type { MouthPatches, Patch } from './mouth-patches.ts';

/** Landmarks are off by a few samples from frame to frame: patches are compared at shifts of up to this many. */
const MAX_SHIFT = 3;
/** Contrast of a patch, in levels of 255, below which differences are mostly noise. */
const MIN_CONTRAST = 10;

/**
 * How much a mouth has changed since the frame before, as a share of the contrast of the face: 0 for a head that moves
 * without speaking. What is left of the difference once both patches are aligned is compared with the same for the nose,
 * which noise, blur and turns of the head change as much.
 */
export function mouthMovement(before: MouthPatches, now: MouthPatches): number {
  const contrast = Math.max(MIN_CONTRAST, deviation(now.mouth.luma), deviation(now.nose.luma));
  const ofMouth = residue(before.mouth, now.mouth);
  const ofNose = residue(before.nose, now.nose);
  return Math.sqrt(Math.max(0, ofMouth - ofNose)) / contrast;
}

/** The mean square difference of two patches after the best alignment: a shift, and a change of brightness. */
function residue(before: Patch, now: Patch): number {
  let best = { error: Infinity, x: 0, y: 0 };
  for (let y = -MAX_SHIFT; y <= MAX_SHIFT; y++) {
    for (let x = -MAX_SHIFT; x <= MAX_SHIFT; x++) {
      const error = shiftedError(before, now, x, y);
      if (error < best.error) best = { error, x, y };
    }
  }
  return refinedError(before, now, best.x, best.y);
}

/** Variance of the difference to the patch that is shifted by whole samples; the borders are left out. */
function shiftedError(before: Patch, now: Patch, shiftX: number, shiftY: number): number {
  const { width, height } = now;
  let [sum, squares, count] = [0, 0, 0];
  for (let y = MAX_SHIFT; y < height - MAX_SHIFT; y++) {
    for (let x = MAX_SHIFT; x < width - MAX_SHIFT; x++) {
      const difference =
        (now.luma[y * width + x] ?? 0) - (before.luma[(y + shiftY) * width + x + shiftX] ?? 0);
      sum += difference;
      squares += difference * difference;
      count++;
    }
  }
  return squares / count - (sum / count) ** 2;
}

/**
 * What is left of the difference after a further shift by a part of a sample, as least squares over the gradients give it
 * (a step of Lucas and Kanade 1981).
 */
function refinedError(before: Patch, now: Patch, shiftX: number, shiftY: number): number {
  const { width, height } = now;
  // Sums of products of the gradient, a constant, and the difference.
  let [xx, xy, yy, x1, y1, xd, yd, d1, dd, count] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const border = MAX_SHIFT + 1;
  const at = (x: number, y: number): number => before.luma[(y + shiftY) * width + x + shiftX] ?? 0;
  for (let y = border; y < height - border; y++) {
    for (let x = border; x < width - border; x++) {
      const gx = (at(x + 1, y) - at(x - 1, y)) / 2;
      const gy = (at(x, y + 1) - at(x, y - 1)) / 2;
      const d = (now.luma[y * width + x] ?? 0) - at(x, y);
      [xx, xy, yy] = [xx + gx * gx, xy + gx * gy, yy + gy * gy];
      [x1, y1, d1] = [x1 + gx, y1 + gy, d1 + d];
      [xd, yd, dd] = [xd + gx * d, yd + gy * d, dd + d * d];
      count++;
    }
  }
  // Without their means, so that brightness drops out.
  [xx, xy, yy] = [xx - (x1 * x1) / count, xy - (x1 * y1) / count, yy - (y1 * y1) / count];
  [xd, yd, dd] = [xd - (x1 * d1) / count, yd - (y1 * d1) / count, dd - (d1 * d1) / count];
  const determinant = xx * yy - xy * xy;
  if (determinant <= 1e-6 * xx * yy) return dd / count;
  const explained = (xd * xd * yy - 2 * xd * yd * xy + yd * yd * xx) / determinant;
  return Math.max(0, dd - explained) / count;
}

function deviation(luma: Uint8Array): number {
  const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
  return Math.sqrt(luma.reduce((sum, value) => sum + (value - mean) ** 2, 0) / luma.length);
}

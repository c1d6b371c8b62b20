/** Packed RGB and transparency of an image, with 8 or 16 bits for each component. */
export interface TransparentImage {
  readonly pixels: Uint8Array | Uint16Array;
  readonly alpha: Uint8Array | Uint16Array;
  readonly width: number;
  readonly height: number;
}

/** A pixel counts as invisible below this share of full opacity: lossy formats have traces of it where there was none. */
const VISIBLE_FROM = 1 / 64;

/**
 * Gives invisible pixels the colour of a visible pixel near them, in place. Their own colour, often black, would reach
 * the edge of what is visible when the image is upscaled, as a fringe.
 */
export function fillHiddenColors({ pixels, alpha, width, height }: TransparentImage): void {
  const least = VISIBLE_FROM * (alpha instanceof Uint16Array ? 0xffff : 0xff);
  if (alpha.every((value) => value >= least)) return;
  const visible = Int32Array.from(alpha, (value, pixel) => (value < least ? -1 : pixel));
  const nearest = nearestVisible(visible, width, height);
  for (let pixel = 0; pixel < nearest.length; pixel++) {
    const from = nearest[pixel] ?? -1;
    if (from >= 0 && from !== pixel) pixels.copyWithin(3 * pixel, 3 * from, 3 * from + 3);
  }
}

/**
 * For each pixel, the number of the nearest visible one; -1 if none is visible. Two passes over the image hand the nearest
 * pixel on from neighbour to neighbour, which is exact enough for a colour.
 *
 * @param nearest for each visible pixel its own number, and -1 for the others; overwritten with the result
 */
function nearestVisible(nearest: Int32Array, width: number, height: number): Int32Array {
  const visit = (x: number, y: number, step: 1 | -1): void => {
    const pixel = y * width + x;
    let best = nearest[pixel] ?? -1;
    if (best === pixel) return;
    let bestDistance = best === -1 ? Infinity : squared(x, y, best, width);
    for (let i = 0; i < NEIGHBOURS_X.length; i++) {
      const nx = x - step * (NEIGHBOURS_X[i] ?? 0);
      const ny = y - step * (NEIGHBOURS_Y[i] ?? 0);
      if (nx < 0 || nx >= width || ny < 0 || ny >= height) continue;
      const candidate = nearest[ny * width + nx] ?? -1;
      if (candidate === -1 || candidate === best) continue;
      const distance = squared(x, y, candidate, width);
      if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
    }
    nearest[pixel] = best;
  };
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) visit(x, y, 1);
  for (let y = height - 1; y >= 0; y--) for (let x = width - 1; x >= 0; x--) visit(x, y, -1);
  return nearest;
}

/** Square of the distance of a pixel from another one, which is given by its number. */
function squared(x: number, y: number, other: number, width: number): number {
  const row = Math.floor(other / width);
  return (x - (other - row * width)) ** 2 + (y - row) ** 2;
}

/** Neighbours that a pass has visited before: to the left, and the three above. */
const NEIGHBOURS_X = [1, 0, 1, -1] as const;
const NEIGHBOURS_Y = [0, 1, 1, 1] as const;

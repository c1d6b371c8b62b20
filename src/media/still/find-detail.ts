/** A part of an image. */
export interface Area {
  readonly extract: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
}

/** Positions are tried this far apart. */
const STEP = 16;
/** Pixels compared to find edges: neighbours of an enlarged image hardly differ. */
const REACH = 2;

/**
 * The part of an image with the most edges, where results of different models differ most.
 *
 * @param pixels packed RGB of 8 bits
 * @param part size of the part, not larger than the image
 */
export function findDetail(
  pixels: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  part: { readonly width: number; readonly height: number },
): Area {
  const sums = edgeSums(pixels, width, height);
  const at = (x: number, y: number): number => sums[y * (width + 1) + x] ?? 0;
  let best = { left: 0, top: 0, edges: -1 };
  for (const top of positions(height - part.height))
    for (const left of positions(width - part.width)) {
      const [right, bottom] = [left + part.width, top + part.height];
      const edges = at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top);
      if (edges > best.edges) best = { left, top, edges };
    }
  return { extract: { left: best.left, top: best.top, ...part } };
}

/** Components of 8 bits; those of 16 bits, little-endian, are reduced to their upper 8. */
export function eightBits(pixels: Buffer, bitsPerComponent: 8 | 16): Uint8Array {
  if (bitsPerComponent === 8) return pixels;
  const upper = new Uint8Array(pixels.length / 2);
  // `Uint8Array.from` takes more than a second for a frame of 2160p.
  for (let i = 0; i < upper.length; i++) upper[i] = pixels[2 * i + 1] ?? 0;
  return upper;
}

function positions(last: number): number[] {
  const count = Math.floor(last / STEP) + 1;
  return Array.from({ length: count }, (_, i) => Math.min(last, i * STEP));
}

/** Sums of edges over all rectangles that begin at the upper left corner, of `width + 1` columns. */
function edgeSums(pixels: Uint8Array, width: number, height: number): Float64Array {
  const sums = new Float64Array((width + 1) * (height + 1));
  const green = (x: number, y: number): number => pixels[3 * (y * width + x) + 1] ?? 0;
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      const here = green(x, y);
      const right = green(Math.min(width - 1, x + REACH), y);
      const below = green(x, Math.min(height - 1, y + REACH));
      row += Math.abs(right - here) + Math.abs(below - here);
      sums[(y + 1) * (width + 1) + x + 1] = (sums[y * (width + 1) + x + 1] ?? 0) + row;
    }
  }
  return sums;
}

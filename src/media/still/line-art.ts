/** What an image shows, by its edges; null if that cannot be told. */
export type Content = 'drawn' | 'filmed';

/** Counts of one image, of which rows are sampled. */
export interface LineCounts {
  /** Places that were looked at, in rows and in columns. */
  readonly places: number;
  /** Where hardly anything changes. */
  readonly flat: number;
  readonly edges: number;
  /** Dark lines of a few pixels with even colour on both sides. */
  readonly lines: number;
}

/** About this many pixels of an image are looked at. */
const SAMPLED = 300_000;
/** Smaller images have hardly any lines, and images with fewer edges are dark or blurred. */
const LEAST_EDGE = 96;
const LEAST_EDGES_SHARE = 0.02;
/** Differences of brightness, of 255. */
const EDGE = 32;
const EVEN = 6;
const FLAT = 2;
const BLACK = 12;

/**
 * Thresholds, measured on the clips of docs/decisions/0102-drawn-or-filmed.md: lines for each edge and each place of drawn
 * content; and lines for each edge, flat places and edges of filmed content. A coarse JPEG of a drawing has few lines, but many edges.
 */
const DRAWN = { linesPerEdge: 0.02, linesPerPlace: 0.002 };
const FILMED = { linesPerEdge: 0.0045, flatShare: 0.42, edgeShare: 0.15 };

/** Counts the edges and lines of an image. @param pixels packed RGB of 8 bits */
export function countLines(
  pixels: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): LineCounts {
  /** Brightness of a pixel. */
  const at = (place: number): number =>
    ((pixels[3 * place] ?? 0) + 2 * (pixels[3 * place + 1] ?? 0) + (pixels[3 * place + 2] ?? 0)) >> 2;
  const counts = { places: 0, flat: 0, edges: 0, lines: 0 };
  const look = (place: number, step: number): void => {
    const [here, left, right] = [at(place), at(place - 2 * step), at(place + 2 * step)];
    counts.places++;
    if (Math.max(Math.abs(right - here), Math.abs(here - left)) <= FLAT) counts.flat++;
    if (Math.abs(right - left) >= EDGE) counts.edges++;
    const [before, after] = [at(place - 3 * step), at(place + 3 * step)];
    const isDark = Math.min(before, after) - here >= EDGE;
    if (!isDark || here > at(place - step) || here > at(place + step)) return;
    const evenBefore = Math.abs(before - at(place - 5 * step)) <= EVEN;
    if (evenBefore && Math.abs(after - at(place + 5 * step)) <= EVEN) counts.lines++;
  };
  const rows = Math.max(2, Math.ceil((width * height) / SAMPLED));
  for (let y = 5; y < height - 5; y += rows)
    for (let x = 5; x < width - 5; x++) {
      const place = y * width + x;
      // Black bars say nothing.
      if (at(place) < BLACK && at(place - 5) < BLACK && at(place + 5) < BLACK) continue;
      look(place, 1);
      look(place, width);
    }
  return counts;
}

/** What images of this size show; null between the thresholds, where only a person can tell. */
export function contentOf(
  images: readonly LineCounts[],
  { width, height }: { readonly width: number; readonly height: number },
): Content | null {
  if (Math.min(width, height) < LEAST_EDGE) return null;
  const sum = (of: (counts: LineCounts) => number): number => images.reduce((all, one) => all + of(one), 0);
  const [places, edges] = [sum((one) => one.places), sum((one) => one.edges)];
  if (edges < LEAST_EDGES_SHARE * places || edges === 0) return null;
  const lines = sum((one) => one.lines);
  if (lines >= DRAWN.linesPerEdge * edges && lines >= DRAWN.linesPerPlace * places) return 'drawn';
  const isDetailed =
    sum((one) => one.flat) <= FILMED.flatShare * places && edges <= FILMED.edgeShare * places;
  return isDetailed && lines <= FILMED.linesPerEdge * edges ? 'filmed' : null;
}

import type { Box } from '../tracking/box.ts';

/** Minimum overlap of neighbouring windows, as a share of their edge; smaller faces are complete in one of them. */
const OVERLAP = 0.25;
/** A box within this many pixels of the edge of a window may be cut off. */
const CUT_OFF = 2;

/**
 * Evenly spaced square windows that cover a frame, each overlapping the next by at least a quarter of its edge. A frame
 * that is not larger than a window has none.
 *
 * @param edge of a window in pixels
 */
export function planWindows(width: number, height: number, edge: number): Box[] {
  if (width <= edge && height <= edge) return [];
  const size = { width: Math.min(edge, width), height: Math.min(edge, height) };
  return startsOf(height, edge).flatMap((y) => startsOf(width, edge).map((x) => ({ x, y, ...size })));
}

/** Whether a face may be cut off by its window, so that it is complete only in another window or in the whole frame. */
export function isCutOff(face: Box, window: Box, width: number, height: number): boolean {
  return (
    (window.x > 0 && face.x < window.x + CUT_OFF) ||
    (window.y > 0 && face.y < window.y + CUT_OFF) ||
    (window.x + window.width < width && face.x + face.width > window.x + window.width - CUT_OFF) ||
    (window.y + window.height < height && face.y + face.height > window.y + window.height - CUT_OFF)
  );
}

function startsOf(length: number, edge: number): number[] {
  if (length <= edge) return [0];
  const steps = Math.ceil((length - edge) / (edge * (1 - OVERLAP)));
  return Array.from({ length: steps + 1 }, (_, i) => Math.round(((length - edge) * i) / steps));
}

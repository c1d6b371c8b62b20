import type { Box } from '../tracking/box.ts';

/** Of a window's edge, what it shares with the next one: a face that is smaller is whole in one of them. */
const OVERLAP = 0.25;
/** In pixels of the frame: a box this near to the edge of a window may be cut off there. */
const CUT_OFF = 2;

/**
 * Square windows that cover a frame, evenly spread, each sharing at least a quarter of its edge with the next. A frame
 * that is not larger than a window has none.
 *
 * @param edge of a window in pixels
 */
export function planWindows(width: number, height: number, edge: number): Box[] {
  if (width <= edge && height <= edge) return [];
  const size = { width: Math.min(edge, width), height: Math.min(edge, height) };
  return startsOf(height, edge).flatMap((y) => startsOf(width, edge).map((x) => ({ x, y, ...size })));
}

/** Whether a face may go on beyond its window, where another window or the whole frame shows all of it. */
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

import type { PaneLayout } from '../../../domain/recipe.ts';
import type { Pane } from './pane.ts';

/**
 * The panes of a screen, in reading order; all have the same size. A grid has two or three panes in a row, below each other
 * if the screen is upright, and four in two rows.
 *
 * @param whole the part of the screen inside the border
 * @param count number of panes
 * @param gap pixels between panes
 */
export function panePlaces(whole: Pane, layout: PaneLayout, count: number, gap: number): Pane[] {
  const [columns, rows] = arrangementOf(whole, layout, count);
  const across = divide(whole.x, whole.width, columns, gap);
  const down = divide(whole.y, whole.height, rows, gap);
  return Array.from({ length: count }, (_, i) => ({
    x: across.start + (i % columns) * across.step,
    y: down.start + Math.floor(i / columns) * down.step,
    ...{ width: across.length, height: down.length },
  }));
}

/** Divides a length into equal parts of whole pixels; what cannot be divided is left over at both ends. */
function divide(
  from: number,
  all: number,
  parts: number,
  wantedGap: number,
): { readonly start: number; readonly step: number; readonly length: number } {
  // A tiny screen has no room for wide gaps.
  const gap = Math.min(wantedGap, Math.floor(all / 4));
  const length = Math.floor((all - (parts - 1) * gap) / parts);
  const rest = all - parts * length - (parts - 1) * gap;
  return { start: from + Math.floor(rest / 2), step: length + gap, length };
}

/** Number of columns and rows. */
function arrangementOf({ width, height }: Pane, layout: PaneLayout, count: number): [number, number] {
  if (count === 4) return [2, 2];
  const isStacked = layout === 'stacked' || (layout === 'grid' && height > width);
  return isStacked ? [1, count] : [count, 1];
}

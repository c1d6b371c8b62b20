import { InputRejectedError } from '../../../domain/errors.ts';
import { PANE_LAYOUTS, type PaneLayout } from '../../../domain/recipe.ts';
import type { View } from '../camera/view.ts';

/** The views of the source that a frame of the split screen shows. */
export interface ScreenViews {
  /** How the panes are arranged. */
  readonly layout: PaneLayout;
  /** In reading order; null: the pane is empty. */
  readonly panes: readonly (View | null)[];
  /** Opacity of the whole image over the panes, 0 to 1. */
  readonly whole: number;
}

/** The first number, negative because it was the number of a frame in earlier versions. */
const VERSION = -2;

/**
 * Encodes the views of consecutive frames as little-endian doubles: the version and the number of the first frame, and for
 * each frame the layout, the opacity of the whole image, the number of panes, and three numbers per pane, with NaN for an
 * empty one.
 */
export function encodeViews(firstFrame: number, views: readonly ScreenViews[]): Uint8Array {
  const numbers = [VERSION, firstFrame];
  for (const { layout, panes, whole } of views) {
    numbers.push(PANE_LAYOUTS.indexOf(layout), whole, panes.length);
    for (const view of panes) numbers.push(...numbersOf(view));
  }
  const data = new DataView(new ArrayBuffer(numbers.length * 8));
  for (const [i, value] of numbers.entries()) data.setFloat64(i * 8, value, true);
  return new Uint8Array(data.buffer);
}

/** The views by frame number. @throws InputRejectedError STATE_OF_OTHER_VERSION */
export function decodeViews(bytes: Uint8Array): Map<number, ScreenViews> {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const next = (): number => data.getFloat64(8 * at++, true);
  if (next() !== VERSION)
    throw new InputRejectedError(
      'STATE_OF_OTHER_VERSION',
      'The job was begun by another version of Framekiln; to start over, cancel and retry the job.',
    );
  const firstFrame = next();
  const views = new Map<number, ScreenViews>();
  while (at * 8 < bytes.byteLength) {
    const layout = PANE_LAYOUTS[next()] ?? 'side-by-side';
    const whole = next();
    const panes = Array.from({ length: next() }, () => viewOf(next(), next(), next()));
    views.set(firstFrame + views.size, { layout, panes, whole });
  }
  return views;
}

function numbersOf(view: View | null): [number, number, number] {
  return view === null ? [NaN, NaN, NaN] : [view.centerX, view.centerY, view.height];
}

function viewOf(centerX: number, centerY: number, height: number): View | null {
  return Number.isNaN(height) ? null : { centerX, centerY, height };
}

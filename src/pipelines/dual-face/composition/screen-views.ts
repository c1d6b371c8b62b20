import type { View } from '../camera/view.ts';

/** The views of the source that a frame of the split screen shows. */
export interface ScreenViews {
  /** null: the pane is empty. */
  readonly left: View | null;
  readonly right: View | null;
  /** Opacity of the whole image over the panes, 0 to 1. */
  readonly whole: number;
}

const NUMBERS_PER_FRAME = 7;

/**
 * Encodes the views of consecutive frames as little-endian doubles: the number of the first frame, and seven numbers per
 * frame, with NaN for an empty pane.
 */
export function encodeViews(firstFrame: number, views: readonly ScreenViews[]): Uint8Array {
  const numbers = views.flatMap(({ left, right, whole }) => [...numbersOf(left), ...numbersOf(right), whole]);
  const data = new DataView(new ArrayBuffer((1 + numbers.length) * 8));
  for (const [i, value] of [firstFrame, ...numbers].entries()) data.setFloat64(i * 8, value, true);
  return new Uint8Array(data.buffer);
}

/** The views by frame number. */
export function decodeViews(bytes: Uint8Array): Map<number, ScreenViews> {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (i: number): number => data.getFloat64(i * 8, true);
  const views = new Map<number, ScreenViews>();
  for (let at = 1; at * 8 < bytes.byteLength; at += NUMBERS_PER_FRAME)
    views.set(number(0) + views.size, {
      left: viewOf(number(at), number(at + 1), number(at + 2)),
      right: viewOf(number(at + 3), number(at + 4), number(at + 5)),
      whole: number(at + 6),
    });
  return views;
}

function numbersOf(view: View | null): [number, number, number] {
  return view === null ? [NaN, NaN, NaN] : [view.centerX, view.centerY, view.height];
}

function viewOf(centerX: number, centerY: number, height: number): View | null {
  return Number.isNaN(height) ? null : { centerX, centerY, height };
}

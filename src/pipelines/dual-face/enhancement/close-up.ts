import type { Window } from '../../crop-frame.ts';
import type { View } from '../camera/view.ts';
import type { Pane, Sizes } from '../composition/pane.ts';

/** An upscaled part of a frame. */
export interface CloseUp {
  readonly pixels: Buffer;
  /** The part of the source. */
  readonly window: Window;
  readonly scale: number;
}

/** Edges of windows are multiples of this, so that an engine sees few sizes while a camera moves. */
const STEP = 16;
/** Source pixels that the kernel reads around a view, at most. */
const KERNEL_MARGIN = 3;

/**
 * The part of the source that the model has to read for a view: the view with everything around it that affects the result,
 * so that the result does not depend on where the window lies.
 *
 * @param overlap source pixels around an area that affect its result
 */
export function windowOf(
  { view, pane }: { readonly view: View; readonly pane: Pane },
  { from, pixelAspect }: Pick<Sizes, 'from' | 'pixelAspect'>,
  overlap: number,
): Window {
  const width = (view.height * pane.width) / pane.height / pixelAspect;
  const across = range(view.centerX, width, from.width, overlap + KERNEL_MARGIN);
  const down = range(view.centerY, view.height, from.height, overlap + KERNEL_MARGIN);
  return { x: across.start, y: down.start, width: across.length, height: down.length };
}

function range(
  center: number,
  shown: number,
  all: number,
  margin: number,
): { readonly start: number; readonly length: number } {
  const first = Math.max(0, Math.floor(center - shown / 2) - margin);
  const last = Math.min(all, Math.ceil(center + shown / 2) + margin);
  const length = Math.min(all, Math.ceil((last - first) / STEP) * STEP);
  return { start: Math.min(first, all - length), length };
}

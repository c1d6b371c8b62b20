import { frameBytes, type FrameFormat } from '../../../domain/media-info.ts';
import { asComponents } from '../../components.ts';
import type { View } from '../camera/view.ts';
import type { CloseUp } from '../enhancement/close-up.ts';
import { blurredCopy } from './blurred-copy.ts';
import { drawScaled } from './draw-scaled.ts';
import type { Pane, Sizes } from './pane.ts';
import type { Pixels } from './pixels.ts';
import type { Span } from './taps.ts';

/** A pane with the view of the source that it shows; null: only the background. */
export interface FilledPane {
  readonly pane: Pane;
  readonly view: View | null;
  /** A view without bars that is drawn blurred behind the first one; null or absent: the bars are black. */
  readonly background?: View | null;
  /** An upscaled part of the frame that contains the view, which is drawn over it. */
  readonly closeUp?: CloseUp | null;
}

const KERNEL_MARGIN = 3;

/**
 * Draws views of a source frame into the panes of an output frame; areas without a view are black. Views are scaled with
 * a cubic kernel and aligned to whole output pixels, so that a resting camera does not shake.
 *
 * @param pixels packed RGB of the source
 * @param frame receives the output frame; its content is overwritten
 */
export function composePanes(
  pixels: Buffer,
  sizes: Sizes,
  panes: readonly FilledPane[],
  frame: Buffer = Buffer.alloc(frameBytes(sizes.to)),
): Buffer {
  frame.fill(0);
  for (const each of panes) drawPane(pixels, sizes, frame, each);
  return frame;
}

function drawPane(
  pixels: Buffer,
  { from, to, pixelAspect }: Sizes,
  frame: Buffer,
  { pane, view, background = null, closeUp = null }: FilledPane,
): void {
  if (view === null && background === null) return;
  const source: Pixels = { components: asComponents(pixels, from), width: from.width };
  const target: Pixels = { components: asComponents(frame, to), width: to.width };
  let bars: Pane[] = [{ x: 0, y: 0, width: pane.width, height: pane.height }];
  if (view !== null) {
    const width = (view.height * pane.width) / pane.height / pixelAspect;
    const across = span(view.centerX, width, from.width, pane.width);
    const down = span(view.centerY, view.height, from.height, pane.height);
    const at = { x: pane.x + across.at, y: pane.y + down.at };
    if (across.shown > 0 && down.shown > 0) {
      drawScaled(source, across, down, target, at);
      if (closeUp !== null) drawCloseUp(closeUp, across, down, target, at);
    }
    bars = barsAround(pane, across, down);
  }
  if (background === null) return;
  const copy = blurredCopy(source, from, pane, { view: background, pixelAspect });
  for (const bar of bars) {
    const part = (length: number, scaled: number, at: number, shown: number): Span => ({
      ...{ from: 0, length, scaled, skip: at, shown, at },
    });
    const columns = part(copy.width, pane.width, bar.x, bar.width);
    const rows = part(copy.height, pane.height, bar.y, bar.height);
    drawScaled(copy, columns, rows, target, { x: pane.x + bar.x, y: pane.y + bar.y });
  }
}

/**
 * Opacity of what a model makes of a view over the view itself. A model sharpens more than the truth, and changes small faces:
 * half of it comes nearer to the truth than either (docs/decisions/0076-enhanced-close-ups.md).
 */
const CLOSE_UP_OPACITY = 0.5;

function drawCloseUp(
  { pixels, window, scale }: CloseUp,
  across: Span,
  down: Span,
  target: Pixels,
  at: Pick<Pane, 'x' | 'y'>,
): void {
  // The same positions, so that both images lie exactly on each other.
  const scaled = (span: Span, start: number): Span => ({
    ...span,
    from: (span.from - start) * scale,
    length: span.length * scale,
  });
  const pixelFormat = target.components instanceof Uint8Array ? 'rgb24' : 'rgb48le';
  const source = { components: asComponents(pixels, { pixelFormat }), width: window.width * scale };
  drawScaled(source, scaled(across, window.x), scaled(down, window.y), target, at, {
    opacity: CLOSE_UP_OPACITY,
  });
}

/** What an image leaves free of a pane, as rectangles that start at the corner of the pane. */
function barsAround({ width, height }: Pane, across: Span, down: Span): Pane[] {
  const [right, bottom] = [across.at + across.shown, down.at + down.shown];
  const bars = [
    { x: 0, y: 0, width, height: down.at },
    { x: 0, y: bottom, width, height: height - bottom },
    { x: 0, y: down.at, width: across.at, height: down.shown },
    { x: right, y: down.at, width: width - right, height: down.shown },
  ];
  return bars.filter((bar) => bar.width > 0 && bar.height > 0);
}

function span(center: number, length: number, sourceLength: number, paneLength: number): Span {
  const start = center - length / 2;
  const scale = paneLength / length;
  const first = Math.max(0, start);
  const last = Math.min(sourceLength, start + length);
  const from = Math.max(0, Math.floor(first) - KERNEL_MARGIN);
  const to = Math.min(sourceLength, Math.ceil(last) + KERNEL_MARGIN);
  const at = Math.round((first - start) * scale);
  const shown = Math.min(paneLength, Math.round((last - start) * scale)) - at;
  const skip = Math.round((first - from) * scale);
  return {
    from,
    length: to - from,
    scaled: Math.max(Math.round((to - from) * scale), skip + shown),
    skip,
    shown,
    at,
  };
}

/** Blends the second image into the first with opacity `share`. Both have the same format. */
export function crossFade(first: Buffer, second: Buffer, share: number, format: FrameFormat): void {
  const [under, over] = [asComponents(first, format), asComponents(second, format)];
  const weight = Math.round(share * 256);
  for (let i = 0; i < under.length; i++) {
    under[i] = ((under[i] ?? 0) * (256 - weight) + (over[i] ?? 0) * weight + 128) >> 8;
  }
}

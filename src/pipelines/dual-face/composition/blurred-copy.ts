import type { FrameFormat } from '../../../domain/media-info.ts';
import type { View } from '../camera/view.ts';
import { drawScaled } from './draw-scaled.ts';
import type { Pixels } from './pixels.ts';
import { gaussian, MEAN, type Span } from './taps.ts';

/** How far the copy is shrunk before it is blurred, and the blur in pixels of that size. */
const SHRUNK = 16;
const BLUR = gaussian(2);
/** Brightness of the copy, so that it does not compete with the image. */
const DIMMED = 0.6;

/** A small, blurred and dimmed copy of a view in the middle of the image, in the shape of a pane. */
export function blurredCopy(
  source: Pixels,
  from: FrameFormat,
  pane: { readonly width: number; readonly height: number },
  { view, pixelAspect }: { readonly view: View; readonly pixelAspect: number },
): Pixels & { readonly height: number } {
  const read = (center: number, length: number, all: number, paneLength: number): Span => {
    const shown = Math.min(all, Math.round(length));
    const start = Math.max(0, Math.min(all - shown, Math.round(center - shown / 2)));
    // Never enlarged: where there is less than a pixel of the image for each of the copy, there is no mean.
    const scaled = Math.min(shown, Math.ceil(paneLength / SHRUNK));
    return { from: start, length: shown, scaled, skip: 0, shown: scaled, at: 0 };
  };
  const viewWidth = (view.height * pane.width) / pane.height / pixelAspect;
  const across = read(view.centerX, viewWidth, from.width, pane.width);
  const down = read(view.centerY, view.height, from.height, pane.height);
  const [width, height] = [across.scaled, down.scaled];
  const shrunk = emptyImage(source, width, height);
  drawScaled(source, across, down, shrunk, { x: 0, y: 0 }, { kernel: MEAN });
  const blurred = emptyImage(source, width, height);
  const all = (length: number): Span => ({
    ...{ from: 0, length, scaled: length, skip: 0, shown: length, at: 0 },
  });
  drawScaled(shrunk, all(width), all(height), blurred, { x: 0, y: 0 }, { kernel: BLUR });
  const { components } = blurred;
  for (let i = 0; i < components.length; i++) components[i] = Math.round((components[i] ?? 0) * DIMMED);
  return { ...blurred, height };
}

function emptyImage({ components }: Pixels, width: number, height: number): Pixels {
  const length = width * height * 3;
  return {
    components: components instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length),
    width,
  };
}

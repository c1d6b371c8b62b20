import sharp from 'sharp';
import { frameBytes, type FrameFormat } from '../../../domain/media-info.ts';
import { asComponents } from '../../components.ts';
import type { View } from '../camera/view.ts';

/** A rectangle of the output frame in whole pixels. */
export interface Pane {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A pane with the view of the source that it shows; null: black. */
export interface FilledPane {
  readonly pane: Pane;
  readonly view: View | null;
}

/** Formats of the source and output frames, which have the same pixel format. */
export interface Sizes {
  readonly from: FrameFormat;
  readonly to: FrameFormat;
  /** Pixel width over height of the source; output pixels are square. */
  readonly pixelAspect: number;
}

interface Composition extends Sizes {
  readonly pixels: Buffer;
  readonly frame: Buffer;
}

/**
 * Draws views of a source frame into the panes of an output frame; areas without a view are black. Views are scaled with
 * a cubic kernel and aligned to whole output pixels, so that a resting camera does not shake.
 *
 * @param pixels packed RGB of the source
 */
export async function composePanes(
  pixels: Buffer,
  sizes: Sizes,
  panes: readonly FilledPane[],
): Promise<Buffer> {
  const frame = Buffer.alloc(frameBytes(sizes.to));
  await Promise.all(panes.map((each) => drawPane({ ...sizes, pixels, frame }, each)));
  return frame;
}

/** One axis of the mapping from the source to a pane, in whole pixels. */
interface Span {
  /** Range of the source that is read, with a margin for the kernel. */
  readonly from: number;
  readonly length: number;
  /** Length of that range after scaling, and the part of it that is shown. */
  readonly scaled: number;
  readonly skip: number;
  readonly shown: number;
  /** Position of that part in the pane. */
  readonly at: number;
}

const KERNEL_MARGIN = 3;

async function drawPane(job: Composition, { pane, view }: FilledPane): Promise<void> {
  if (view === null) return;
  const { pixels, from, to, pixelAspect, frame } = job;
  const width = (view.height * pane.width) / pane.height / pixelAspect;
  const across = span(view.centerX, width, from.width, pane.width);
  const down = span(view.centerY, view.height, from.height, pane.height);
  if (across.shown <= 0 || down.shown <= 0) return;
  const isDeep = from.pixelFormat === 'rgb48le';
  let image = sharp(asComponents(pixels, from), {
    raw: { width: from.width, height: from.height, channels: 3 },
  })
    .extract({ left: across.from, top: down.from, width: across.length, height: down.length })
    .resize({ width: across.scaled, height: down.scaled, fit: 'fill', kernel: 'cubic' })
    .extract({ left: across.skip, top: down.skip, width: across.shown, height: down.shown });
  if (isDeep) image = image.toColourspace('rgb16');
  const drawn = await image.raw({ depth: isDeep ? 'ushort' : 'uchar' }).toBuffer();
  const pixelBytes = isDeep ? 6 : 3;
  const row = across.shown * pixelBytes;
  for (let y = 0; y < down.shown; y++) {
    const target = ((pane.y + down.at + y) * to.width + pane.x + across.at) * pixelBytes;
    drawn.copy(frame, target, y * row, (y + 1) * row);
  }
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

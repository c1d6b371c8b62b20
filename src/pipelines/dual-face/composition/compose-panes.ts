import sharp, { type Sharp } from 'sharp';
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

/** A pane with the view of the source that it shows; null: only the background. */
export interface FilledPane {
  readonly pane: Pane;
  readonly view: View | null;
  /** A view without bars that is drawn blurred behind the first one; null or absent: what is free of it is black. */
  readonly background?: View | null;
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

/** How far the background is shrunk before it is blurred and enlarged again, and the blur in pixels of that size. */
const SHRUNK = 16;
const BLUR = 2;
/** Brightness of the background, so that it does not compete with the image. */
const DIMMED = 0.6;

async function drawPane(job: Composition, { pane, view, background = null }: FilledPane): Promise<void> {
  if (background !== null) await drawBlurred(job, pane, background);
  if (view === null) return;
  const { pixels, from, pixelAspect } = job;
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
  place(await image.raw({ depth: isDeep ? 'ushort' : 'uchar' }).toBuffer(), job, {
    ...{ x: pane.x + across.at, y: pane.y + down.at, width: across.shown, height: down.shown },
  });
}

async function drawBlurred(job: Composition, pane: Pane, view: View): Promise<void> {
  const { pixels, from, pixelAspect } = job;
  const isDeep = from.pixelFormat === 'rgb48le';
  const width = Math.min(from.width, Math.round((view.height * pane.width) / pane.height / pixelAspect));
  const height = Math.min(from.height, Math.round(view.height));
  const left = Math.round((from.width - width) / 2);
  const top = Math.round((from.height - height) / 2);
  const small = { width: Math.ceil(pane.width / SHRUNK), height: Math.ceil(pane.height / SHRUNK) };
  const depth = isDeep ? 'ushort' : 'uchar';
  const typed = (image: Sharp): Sharp => (isDeep ? image.toColourspace('rgb16') : image);
  const shrunk = await typed(
    sharp(asComponents(pixels, from), { raw: { width: from.width, height: from.height, channels: 3 } })
      .extract({ left, top, width, height })
      .resize({ ...small, fit: 'fill' })
      .blur(BLUR)
      .linear(DIMMED, 0),
  )
    .raw({ depth })
    .toBuffer();
  const drawn = await typed(
    sharp(asComponents(shrunk, from), { raw: { ...small, channels: 3 } }).resize({
      ...{ width: pane.width, height: pane.height, fit: 'fill', kernel: 'cubic' },
    }),
  )
    .raw({ depth })
    .toBuffer();
  place(drawn, job, pane);
}

/** Copies an image into a rectangle of the frame. */
function place(image: Buffer, { frame, to }: Composition, { x, y, width, height }: Pane): void {
  const pixelBytes = to.pixelFormat === 'rgb48le' ? 6 : 3;
  const row = width * pixelBytes;
  for (let i = 0; i < height; i++)
    image.copy(frame, ((y + i) * to.width + x) * pixelBytes, i * row, (i + 1) * row);
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

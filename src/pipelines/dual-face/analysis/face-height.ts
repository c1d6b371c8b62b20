import type { FrameFormat } from '../../../domain/media-info.ts';
import type { Frame } from '../../frame-pipeline.ts';
import type { Face } from '../detection/face.ts';
import { iou, type Box } from '../tracking/box.ts';

/** Edge of the square part of the frame in which a face is detected again, in heights of the face. */
const EDGE_HEIGHTS = 5;
/** Minimum overlap (IoU) with the face that was detected in the frame. */
const SAME_FACE = 0.4;

/** Only this many faces of a frame, the largest ones, are measured. */
const MAX_FACES = 6;
/** Minimum score of a face that is measured. */
const CONFIDENT = 0.6;

type Detect = (part: Frame, format: FrameFormat) => Promise<readonly Face[]>;

/**
 * The heights of faces in pixels, each measured in a part of the frame in which the face is large; without those that are not
 * found there. In a whole frame of 640x360, BlazeFace sees a face of 60 pixels with 18, and its boxes of two equally tall faces
 * differ by up to 20 % (docs/decisions/0068-framing-of-split-screens.md).
 */
export async function measuredHeights(
  frame: Frame,
  format: FrameFormat,
  faces: readonly Face[],
  detect: Detect,
): Promise<Map<Face, number>> {
  const largest = faces
    .filter(({ score }) => score >= CONFIDENT)
    .sort((a, b) => b.box.height - a.box.height)
    .slice(0, MAX_FACES);
  const heights = new Map<Face, number>();
  for (const face of largest) {
    const height = await measuredHeight(frame, format, face, detect);
    if (height !== null) heights.set(face, height);
  }
  return heights;
}

async function measuredHeight(
  { number, pixels }: Frame,
  format: FrameFormat,
  { box }: Face,
  detect: Detect,
): Promise<number | null> {
  const edge = Math.max(1, Math.round(EDGE_HEIGHTS * box.height));
  // In a part larger than the frame, the detector would see the face smaller than before.
  if (edge > Math.max(format.width, format.height)) return null;
  const left = Math.round(box.x + box.width / 2 - edge / 2);
  const top = Math.round(box.y + box.height / 2 - edge / 2);
  const part = { number, pixels: partOf(pixels, format, left, top, edge) };
  const found = await detect(part, { ...format, width: edge, height: edge });
  const own: Box = { ...box, x: box.x - left, y: box.y - top };
  return found.find((each) => iou(each.box, own) > SAME_FACE)?.box.height ?? null;
}

/** A square part of a frame; black where it extends beyond the frame. */
function partOf(
  pixels: Buffer,
  { width, height, pixelFormat }: FrameFormat,
  left: number,
  top: number,
  edge: number,
): Buffer {
  const pixelBytes = pixelFormat === 'rgb24' ? 3 : 6;
  const part = Buffer.alloc(edge * edge * pixelBytes);
  const [from, to] = [Math.max(0, left), Math.min(width, left + edge)];
  for (let row = Math.max(0, -top); row < Math.min(edge, height - top); row++) {
    const start = (top + row) * width;
    pixels.copy(
      part,
      (row * edge + from - left) * pixelBytes,
      (start + from) * pixelBytes,
      (start + to) * pixelBytes,
    );
  }
  return part;
}

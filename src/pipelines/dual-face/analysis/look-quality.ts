import type { FrameFormat } from '../../../domain/media-info.ts';
import { asComponents } from '../../components.ts';
import type { Frame } from '../../frame-pipeline.ts';
import type { Face } from '../detection/face.ts';

/** Pixels of a face that are looked at, per axis. */
const SAMPLES = 48;

/** How well a face would look on a thumbnail: large if it is frontal, sharp, large and certain. */
export function lookQuality({ pixels }: Frame, format: FrameFormat, face: Face): number {
  return (
    face.score *
    frontality(face) *
    sharpness(asComponents(pixels, format), format, face) *
    Math.sqrt(face.box.height)
  );
}

/** 1 for a face that looks into the camera, near 0 for a profile: where the nose is between the eyes. */
function frontality({ landmarks: [rightEye, leftEye, nose] }: Face): number {
  if (rightEye === undefined || leftEye === undefined || nose === undefined) return 0.5;
  const eyes = Math.hypot(leftEye.x - rightEye.x, leftEye.y - rightEye.y);
  const aside = Math.abs(nose.x - (leftEye.x + rightEye.x) / 2);
  return Math.max(0.05, 1 - (2 * aside) / Math.max(1, eyes));
}

/**
 * The root mean square difference between neighbouring pixels in the box, as a share of the contrast there. (The mean
 * difference would be the same for a sharp and a blurred edge.)
 */
function sharpness(
  components: Uint8Array | Uint16Array,
  { width, height }: FrameFormat,
  { box }: Face,
): number {
  const step = Math.max(1, Math.floor(Math.min(box.width, box.height) / SAMPLES));
  const [left, top] = [Math.max(0, Math.round(box.x)), Math.max(0, Math.round(box.y))];
  const right = Math.min(width - 2, Math.round(box.x + box.width));
  const bottom = Math.min(height - 1, Math.round(box.y + box.height));
  let [count, sum, squares, steps] = [0, 0, 0, 0];
  for (let y = top; y < bottom; y += step) {
    for (let x = left; x < right; x += step) {
      // Green stands for brightness.
      const at = (y * width + x) * 3 + 1;
      const value = components[at] ?? 0;
      count++;
      sum += value;
      squares += value * value;
      steps += ((components[at + 3] ?? 0) - value) ** 2;
    }
  }
  if (count === 0) return 0;
  const mean = sum / count;
  const contrast = Math.sqrt(Math.max(1, squares / count - mean * mean));
  return Math.sqrt(steps / count) / contrast;
}

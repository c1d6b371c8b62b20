import type { FrameFormat } from '../../../domain/media-info.ts';
import { asComponents } from '../../components.ts';
import type { Frame } from '../../frame-pipeline.ts';
import type { Face, Point } from '../detection/face.ts';

/** Luma of a part of a face, upright and of a fixed size whatever the size and the tilt of the face. */
export interface Patch {
  readonly width: number;
  readonly height: number;
  readonly luma: Uint8Array;
}

/** What is compared from frame to frame: the mouth, and the nose, which moves with the head only. */
export interface MouthPatches {
  readonly mouth: Patch;
  readonly nose: Patch;
}

/** Size of a patch in heights of the face, and in samples. */
interface PatchShape {
  readonly across: number;
  readonly down: number;
  readonly width: number;
  readonly height: number;
}

const MOUTH: PatchShape = { across: 0.5, down: 0.4, width: 30, height: 24 };
const NOSE: PatchShape = { across: 0.5, down: 0.3, width: 30, height: 18 };
/** The nose patch ends above the upper lip: its centre is this many heights of the face above the tip of the nose. */
const NOSE_RAISED = 0.08;

/** The patches of a face; null if its landmarks are missing, as with a detector that has none. */
export function mouthPatches({ pixels }: Frame, format: FrameFormat, face: Face): MouthPatches | null {
  const [rightEye, leftEye, nose, ...others] = face.landmarks;
  const mouth = mouthOf(others);
  if (rightEye === undefined || leftEye === undefined || nose === undefined || mouth === null) return null;
  const tilt = Math.atan2(leftEye.y - rightEye.y, leftEye.x - rightEye.x);
  const axis = { x: Math.cos(tilt), y: Math.sin(tilt) };
  const { height } = face.box;
  const raised = NOSE_RAISED * height;
  const components = asComponents(pixels, format);
  return {
    mouth: readPatch(components, format, mouth, axis, height, MOUTH),
    nose: readPatch(
      ...([components, format, { x: nose.x + axis.y * raised, y: nose.y - axis.x * raised }] as const),
      ...([axis, height, NOSE] as const),
    ),
  };
}

/** The centre of the mouth: between two corners, or the only landmark of the mouth in front of the ears (see `Face`). */
function mouthOf([first, second, ear]: readonly Point[]): Point | null {
  if (first === undefined) return null;
  if (second === undefined || ear !== undefined) return first;
  return { x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 };
}

function readPatch(
  components: Uint8Array | Uint16Array,
  format: FrameFormat,
  center: Point,
  axis: Point,
  faceHeight: number,
  { across, down, width, height }: PatchShape,
): Patch {
  const [stepX, stepY] = [(across * faceHeight) / width, (down * faceHeight) / height];
  const luma = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const along = (column + 0.5 - width / 2) * stepX;
      const below = (row + 0.5 - height / 2) * stepY;
      const x = center.x + along * axis.x - below * axis.y;
      const y = center.y + along * axis.y + below * axis.x;
      luma[row * width + column] = greenAt(components, format, x, y);
    }
  }
  return { width, height, luma };
}

/** Green, which stands for brightness, between the pixels around a position, with 8 bits. */
function greenAt(
  components: Uint8Array | Uint16Array,
  { width, height }: FrameFormat,
  x: number,
  y: number,
): number {
  const left = Math.min(width - 2, Math.max(0, Math.floor(x - 0.5)));
  const top = Math.min(height - 2, Math.max(0, Math.floor(y - 0.5)));
  const right = Math.min(1, Math.max(0, x - 0.5 - left));
  const below = Math.min(1, Math.max(0, y - 0.5 - top));
  const at = (top * width + left) * 3 + 1;
  const next = at + width * 3;
  const upper = (components[at] ?? 0) * (1 - right) + (components[at + 3] ?? 0) * right;
  const lower = (components[next] ?? 0) * (1 - right) + (components[next + 3] ?? 0) * right;
  const value = upper * (1 - below) + lower * below;
  return components instanceof Uint16Array ? value / 256 : value;
}

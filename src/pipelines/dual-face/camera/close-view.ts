import type { Box } from '../tracking/box.ts';
import { HEAD_AND_SHOULDERS, viewHeightLimits, type ViewGeometry } from './view.ts';

/** A view is moved by at most this share of its height. */
export const MAX_SHIFT = 0.1;
/** A neighbour's head is wider than the box of the face by this share of the box. */
export const HEAD_MARGIN = 0.25;
/** The closest view, in heights of the face, that is worth leaving out a neighbour. */
const CLOSEST = 2.3;
const STEP = 0.1;

/**
 * The height of the largest view of a face that leaves out the heads of all neighbours, in heights of the face; that of
 * head and shoulders if even the closest view does not.
 */
export function faceHeightsWithout(face: Box, neighbours: readonly Box[], geometry: ViewGeometry): number {
  const { smallest, largest } = viewHeightLimits(geometry);
  for (let heights = HEAD_AND_SHOULDERS; heights > CLOSEST - STEP / 2; heights -= STEP) {
    if (face.height * heights < smallest) break;
    const height = Math.min(largest, face.height * heights);
    if (leavesOut(face, neighboursBeside(face, neighbours, height), height, geometry)) return heights;
  }
  return HEAD_AND_SHOULDERS;
}

/** The neighbours whose heads are as high in the image as a view of the face. */
export function neighboursBeside(face: Box, neighbours: readonly Box[], viewHeight: number): Box[] {
  const center = face.y + face.height / 2;
  return neighbours.filter(
    (each) => Math.abs(each.y + each.height / 2 - center) < (viewHeight + each.height) / 2,
  );
}

function leavesOut(face: Box, neighbours: readonly Box[], height: number, geometry: ViewGeometry): boolean {
  const [across, center] = [height * geometry.aspect, face.x + face.width / 2];
  let [from, to] = [0, Math.max(across, geometry.width)];
  for (const { x, width } of neighbours) {
    const margin = HEAD_MARGIN * width;
    if (x + width / 2 > center) to = Math.min(to, x - margin);
    else from = Math.max(from, x + width + margin);
  }
  const inside = Math.min(Math.max(center, across / 2), geometry.width - across / 2);
  const shift = MAX_SHIFT * height;
  return Math.max(from + across / 2, inside - shift) <= Math.min(to - across / 2, inside + shift);
}

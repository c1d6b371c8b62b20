import { iou } from '../tracking/box.ts';
import type { Face } from './face-detector.ts';

/** Two boxes that share more are one face. */
const LARGEST_OVERLAP = 0.4;

/** Non-maximum suppression: of faces that overlap, the one with the best score; the best first. */
export function suppressOverlaps(faces: readonly Face[], largestOverlap = LARGEST_OVERLAP): Face[] {
  const kept: Face[] = [];
  for (const face of faces.toSorted((a, b) => b.score - a.score))
    if (kept.every((better) => iou(better.box, face.box) <= largestOverlap)) kept.push(face);
  return kept;
}

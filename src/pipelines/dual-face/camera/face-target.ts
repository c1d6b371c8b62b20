import type { Box } from '../tracking/box.ts';
import { HEAD_MARGIN, MAX_SHIFT, neighboursBeside } from './close-view.ts';
import { HEAD_AND_SHOULDERS, viewHeightFor, viewHeightLimits, type ViewGeometry } from './view.ts';

/** A face that a pane has to show, and how. */
export interface FaceTarget {
  readonly box: Box;
  /** Height of the view. */
  readonly viewHeight: number;
  /** How far the view is moved sideways, to leave out a neighbour. */
  readonly shiftX: number;
}

/**
 * How a pane shows a face.
 *
 * @param others the faces in the other panes, whose heads should have the same size
 * @param neighbours all other faces in the frame
 * @param faceHeights usual height of a view in heights of the face
 */
export function faceTarget(
  box: Box,
  others: readonly Box[],
  neighbours: readonly Box[],
  geometry: ViewGeometry,
  faceHeights: number = HEAD_AND_SHOULDERS,
): FaceTarget {
  const viewHeight = matchedHeight(box, others, geometry, faceHeights);
  const beside = neighboursBeside(box, neighbours, viewHeight);
  return { box, viewHeight, shiftX: shiftAway(box, beside, viewHeight, geometry) };
}

/** The height of a view in which all heads have one size, even where one of them is at a limit. */
function matchedHeight(
  box: Box,
  others: readonly Box[],
  geometry: ViewGeometry,
  faceHeights: number,
): number {
  if (others.length === 0) return viewHeightFor(box, geometry, faceHeights);
  const shares = [box, ...others].map((face) => sharesOf(face, geometry, faceHeights));
  const least = Math.max(...shares.map((each) => each.least));
  const most = Math.min(...shares.map((each) => each.most));
  const usual = Math.min(...shares.map((each) => each.usual));
  const share = Math.max(least, Math.min(most, usual));
  const { smallest, largest } = viewHeightLimits(geometry);
  return Math.min(largest, Math.max(smallest, box.height / share));
}

/** Heights of a head as shares of its view: in the largest and the smallest possible view, and in the usual one. */
function sharesOf(
  box: Box,
  geometry: ViewGeometry,
  faceHeights: number,
): { least: number; most: number; usual: number } {
  const { smallest, largest } = viewHeightLimits(geometry);
  return {
    least: box.height / largest,
    most: box.height / smallest,
    usual: box.height / viewHeightFor(box, geometry, faceHeights),
  };
}

function shiftAway(box: Box, neighbours: readonly Box[], height: number, { aspect }: ViewGeometry): number {
  const center = box.x + box.width / 2;
  const half = (height * aspect) / 2;
  let [toLeft, toRight] = [0, 0];
  for (const each of neighbours) {
    const margin = HEAD_MARGIN * each.width;
    const isRight = each.x + each.width / 2 > center;
    if (isRight) toLeft = Math.max(toLeft, center + half - (each.x - margin));
    else toRight = Math.max(toRight, each.x + each.width + margin - (center - half));
  }
  const most = MAX_SHIFT * height;
  // A neighbour who cannot be left out is not worth a view that is off centre.
  const [left, right] = [toLeft, toRight].map((shift) => (shift > 2 * most ? 0 : Math.min(most, shift)));
  return (right ?? 0) - (left ?? 0);
}

import type { Box } from '../tracking/box.ts';

/** The rectangle of the source that a pane shows, in source pixels. It may extend beyond the image, where it is black. */
export interface View {
  readonly centerX: number;
  readonly centerY: number;
  readonly height: number;
}

/** The size of the source and the aspect ratio of the views of a pane. */
export interface ViewGeometry {
  /** Size of the source in pixels. */
  readonly width: number;
  readonly height: number;
  /** Width over height of a view in source pixels: the pane's aspect ratio, divided by the source's pixel aspect. */
  readonly aspect: number;
}

/** Height of a view of head and shoulders, in heights of the face. */
export const HEAD_AND_SHOULDERS = 3;
/** Vertical position of the face's centre in that view, as a share of its height from the top. */
const FACE_LEVEL = 0.42;
/** Minimum height of a view as a share of the source's height; smaller ones would show mostly interpolated pixels. */
const MIN_VIEW = 0.2;

/** A view of head and shoulders, inside the image if the image is large enough. */
export function viewOfFace(face: Box, geometry: ViewGeometry): View {
  const height = viewHeightFor(face, geometry);
  return insideImage({ ...centerFor(face, height), height }, geometry);
}

/**
 * The height of a view of a face, within the possible ones.
 *
 * @param faceHeights height of the view in heights of the face
 */
export function viewHeightFor(
  face: Box,
  geometry: ViewGeometry,
  faceHeights: number = HEAD_AND_SHOULDERS,
): number {
  const { smallest, largest } = viewHeightLimits(geometry);
  return Math.min(largest, Math.max(smallest, face.height * faceHeights));
}

export function viewHeightLimits({ width, height, aspect }: ViewGeometry): {
  readonly smallest: number;
  readonly largest: number;
} {
  return { smallest: height * MIN_VIEW, largest: Math.min(height, width / aspect) };
}

/** The centre of the view in which a face is where it belongs, which may be too near to the edge of the image. */
export function centerFor(face: Box, viewHeight: number): Pick<View, 'centerX' | 'centerY'> {
  return {
    centerX: face.x + face.width / 2,
    centerY: face.y + face.height / 2 + (0.5 - FACE_LEVEL) * viewHeight,
  };
}

/** A view of the whole image, with black bars if the pane's aspect ratio differs. */
export function wideView(geometry: ViewGeometry): View {
  return {
    centerX: geometry.width / 2,
    centerY: geometry.height / 2,
    height: Math.max(geometry.height, geometry.width / geometry.aspect),
  };
}

/** The largest view in the middle of the image that has no bars. */
export function coverView(geometry: ViewGeometry): View {
  return { ...wideView(geometry), height: viewHeightLimits(geometry).largest };
}

/** The view moved into the image as far as possible. */
export function insideImage(
  { centerX, centerY, height }: View,
  { width, height: all, aspect }: ViewGeometry,
): View {
  return {
    centerX: clampCenter(centerX, height * aspect, width),
    centerY: clampCenter(centerY, height, all),
    height,
  };
}

function clampCenter(center: number, length: number, all: number): number {
  return length >= all ? all / 2 : Math.min(all - length / 2, Math.max(length / 2, center));
}

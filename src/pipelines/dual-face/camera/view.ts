import type { Box } from '../tracking/box.ts';

/** What a pane shows: a rectangle of the source, in source pixels. It may reach beyond the image, where all is black. */
export interface View {
  readonly centerX: number;
  readonly centerY: number;
  readonly height: number;
}

/** The image that is looked at, and the aspect of the pane that shows it. */
export interface ViewGeometry {
  /** Of the source, in pixels. */
  readonly width: number;
  readonly height: number;
  /** A view's width over its height in source pixels: the pane's aspect, divided by the source's pixel aspect. */
  readonly aspect: number;
}

/** Of a face's height: how high an image of head and shoulders is. */
const HEAD_AND_SHOULDERS = 3;
/** Where the face's centre is in it, from the top. */
const FACE_LEVEL = 0.42;
/** Of the source's height: smaller views would be nothing but upscaled pixels. */
const LEAST_VIEW = 0.2;

/** Head and shoulders of a face, inside the image where the image is large enough. */
export function viewOfFace(face: Box, geometry: ViewGeometry): View {
  const largest = Math.min(geometry.height, geometry.width / geometry.aspect);
  const height = Math.min(largest, Math.max(geometry.height * LEAST_VIEW, face.height * HEAD_AND_SHOULDERS));
  return insideImage(
    {
      centerX: face.x + face.width / 2,
      centerY: face.y + face.height / 2 + (0.5 - FACE_LEVEL) * height,
      height,
    },
    geometry,
  );
}

/** The whole image, with black where the pane has another aspect. */
export function wideView(geometry: ViewGeometry): View {
  return {
    centerX: geometry.width / 2,
    centerY: geometry.height / 2,
    height: Math.max(geometry.height, geometry.width / geometry.aspect),
  };
}

/** The view moved so that as little of it as can be lies beyond the image. */
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

import { InputRejectedError } from '../../../domain/errors.ts';
import type { Crop, DualFaceRecipe, Span } from '../../../domain/recipe.ts';
import { counted } from '../../../lib/counted.ts';
import { insideImage, type View, type ViewGeometry } from '../camera/view.ts';
import type { Shot } from '../identity/tracklet.ts';

/** Part of a shot: inside a span of the sidecar file, or outside of all. */
export interface ShotPart extends Shot {
  readonly span: Span | null;
}

/** Divides a shot where a span begins or ends. @param spans in order */
export function partsOf({ from, to }: Shot, spans: readonly Span[]): ShotPart[] {
  const parts: ShotPart[] = [];
  let at = from;
  for (const span of spans) {
    const [begin, end] = [Math.max(at, span.from), Math.min(to, span.to)];
    if (begin >= end) continue;
    if (begin > at) parts.push({ from: at, to: begin, span: null });
    parts.push({ from: begin, to: end, span });
    at = end;
  }
  if (at < to) parts.push({ from: at, to, span: null });
  return parts;
}

/**
 * The smallest view that contains a crop. What it shows around the crop, because that has another shape than the pane, is
 * inside the image if possible.
 */
export function viewOfCrop({ x, y, width, height }: Crop, geometry: ViewGeometry): View {
  const viewHeight = Math.max(height, width / geometry.aspect);
  const [centerX, centerY] = [x + width / 2, y + height / 2];
  const inside = insideImage({ centerX, centerY, height: viewHeight }, geometry);
  const near = (wanted: number, center: number, spare: number): number =>
    Math.max(center - spare, Math.min(center + spare, wanted));
  return {
    centerX: near(inside.centerX, centerX, (viewHeight * geometry.aspect - width) / 2),
    centerY: near(inside.centerY, centerY, (viewHeight - height) / 2),
    height: viewHeight,
  };
}

/**
 * Checks what only the analysis of the video can tell about the corrections.
 *
 * @throws InputRejectedError BAD_RECIPE, with what to change
 */
export function assertCorrectionsApply(
  { people = [], spans = [] }: Pick<DualFaceRecipe, 'people' | 'spans'>,
  video: {
    readonly people: number;
    readonly frames: number;
    readonly width: number;
    readonly height: number;
  },
): void {
  const reject = (fault: string): never => {
    throw new InputRejectedError(
      'BAD_RECIPE',
      `The corrections in the sidecar file cannot be used: ${fault}.`,
    );
  };
  const unknown = [people, ...spans.map((span) => span.people ?? [])].flat().find((id) => id > video.people);
  if (unknown !== undefined)
    reject(
      `there is no person ${unknown}, as ${counted(video.people, 'person was', 'people were')} found; ` +
        'use the numbers in .framekiln/reports/ID.split-screen.json of the earlier job',
    );
  for (const { from, to, crops = [] } of spans) {
    const span = `the span from ${from} to ${to}`;
    if (to > video.frames)
      reject(`${span} extends beyond the video, which has ${counted(video.frames, 'frame')}; correct it`);
    const { width, height } = video;
    if (crops.some((crop) => !isVisible(crop, video)))
      reject(`${span} has a crop outside the image of ${width}x${height} pixels; move it into the image`);
  }
}

function isVisible(
  { x, y, width, height }: Crop,
  image: { readonly width: number; readonly height: number },
): boolean {
  return x < image.width && y < image.height && x + width > 0 && y + height > 0;
}

import { cameraPath } from '../camera/camera-path.ts';
import { wideView, type View, type ViewGeometry } from '../camera/view.ts';
import type { Box } from '../tracking/box.ts';
import type { Presence } from './presence.ts';

/** Time that a pane takes from the last place of its person to the whole image. */
const ZOOM_OUT_SECONDS = 1;

/**
 * The views of one pane in a shot.
 *
 * @param shown the person that the pane shows in each frame; null: nobody
 * @param isWide whether an empty pane shows the whole image; otherwise it stays empty
 */
export function paneViews(
  shown: readonly (Presence | null)[],
  geometry: ViewGeometry,
  framesPerSecond: number,
  isWide: boolean,
): (View | null)[] {
  const views = new Array<View | null>(shown.length).fill(null);
  for (let from = 0; from < shown.length;) {
    const person = shown[from] ?? null;
    const to = endOfRun(shown, from);
    const boxes: Box[] = [];
    for (let at = from; at < to; at++) {
      const box = person?.boxes[at] ?? boxes.at(-1);
      if (box !== undefined) boxes.push(box);
    }
    if (person !== null)
      for (const [i, view] of cameraPath(boxes, geometry, framesPerSecond).entries()) views[from + i] = view;
    else if (isWide) {
      const start = views[from - 1] ?? null;
      const frames = ZOOM_OUT_SECONDS * framesPerSecond;
      for (let at = from; at < to; at++) views[at] = zoomedOut(start, (at - from + 1) / frames, geometry);
    }
    from = to;
  }
  return views;
}

/** The frame after the last one that shows the same person as `from`. */
function endOfRun(shown: readonly (Presence | null)[], from: number): number {
  const end = shown.findIndex((person, at) => at > from && person !== shown[from]);
  return end === -1 ? shown.length : end;
}

/** The view on the way from `start` to the whole image. @param share of the way; 1 or more: the whole image */
function zoomedOut(start: View | null, share: number, geometry: ViewGeometry): View {
  const end = wideView(geometry);
  if (start === null || share >= 1) return end;
  const eased = share * share * (3 - 2 * share);
  const blend = (a: number, b: number): number => a + eased * (b - a);
  return {
    centerX: blend(start.centerX, end.centerX),
    centerY: blend(start.centerY, end.centerY),
    height: Math.exp(blend(Math.log(start.height), Math.log(end.height))),
  };
}

import { cameraPath } from '../camera/camera-path.ts';
import { faceTarget, type FaceTarget } from '../camera/face-target.ts';
import type { View, ViewGeometry } from '../camera/view.ts';
import type { Box } from '../tracking/box.ts';
import { boxAt, type Presence } from './presence.ts';

/** Time that a pane takes from the last place of its person to the whole image. */
const ZOOM_OUT_SECONDS = 1;

export interface PaneContext {
  readonly geometry: ViewGeometry;
  readonly framesPerSecond: number;
  /** Everybody who is there, in each frame. */
  readonly everybody: readonly (readonly Presence[])[];
  /** The people in the other panes, in each frame. */
  readonly others: readonly (readonly Presence[])[];
  /** The view of a pane without a person; null: it stays empty. */
  readonly nobody: View | null;
}

/**
 * The views of one pane in a shot.
 *
 * @param shown the person that the pane shows in each frame; null: nobody
 */
export function paneViews(shown: readonly (Presence | null)[], context: PaneContext): (View | null)[] {
  const { geometry, framesPerSecond, nobody } = context;
  const views = new Array<View | null>(shown.length).fill(null);
  for (let from = 0; from < shown.length;) {
    const person = shown[from] ?? null;
    const to = endOfRun(shown, from);
    if (person !== null) {
      const targets = targetsOf(person, from, to, context);
      for (const [i, view] of cameraPath(targets, geometry, framesPerSecond).entries())
        views[from + i] = view;
    } else if (nobody !== null) {
      const start = views[from - 1] ?? null;
      const frames = ZOOM_OUT_SECONDS * framesPerSecond;
      for (let at = from; at < to; at++) views[at] = zoomedOut(start, nobody, (at - from + 1) / frames);
    }
    from = to;
  }
  return views;
}

/** How the pane shows a person in the frames of a run. */
function targetsOf(
  person: Presence,
  from: number,
  to: number,
  { geometry, everybody, others }: PaneContext,
): FaceTarget[] {
  const targets: FaceTarget[] = [];
  let last: Box | null = null;
  for (let at = from; at < to; at++) {
    const box: Box | null = boxAt(person, at) ?? last;
    if (box === null) continue;
    last = box;
    const neighbours = (everybody[at] ?? []).flatMap((each) => {
      const neighbour = each.personId === person.personId ? null : boxAt(each, at);
      return neighbour === null ? [] : [neighbour];
    });
    const beside = (others[at] ?? []).map((each) => boxAt(each, at)).filter((face) => face !== null);
    targets.push(faceTarget(box, beside, neighbours, geometry));
  }
  return targets;
}

/** The frame after the last one that shows the same person as `from`. */
function endOfRun(shown: readonly (Presence | null)[], from: number): number {
  const end = shown.findIndex((person, at) => at > from && person !== shown[from]);
  return end === -1 ? shown.length : end;
}

/** The view on the way from `start` to `end`. @param share of the way; 1 or more: all of it */
function zoomedOut(start: View | null, end: View, share: number): View {
  if (start === null || share >= 1) return end;
  const eased = share * share * (3 - 2 * share);
  const blend = (a: number, b: number): number => a + eased * (b - a);
  return {
    centerX: blend(start.centerX, end.centerX),
    centerY: blend(start.centerY, end.centerY),
    height: Math.exp(blend(Math.log(start.height), Math.log(end.height))),
  };
}

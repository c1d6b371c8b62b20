import { cameraPath } from '../camera/camera-path.ts';
import { faceTarget, type FaceTarget } from '../camera/face-target.ts';
import type { View, ViewGeometry } from '../camera/view.ts';
import type { Box } from '../tracking/box.ts';
import { boxAt, type Presence } from './presence.ts';

export interface PaneContext {
  readonly geometry: ViewGeometry;
  readonly framesPerSecond: number;
  /** Everybody who is there, in each frame. */
  readonly everybody: readonly (readonly Presence[])[];
  /** The people in the other panes, in each frame. */
  readonly others: readonly (readonly Presence[])[];
  /** Usual height of a view in heights of the face. */
  readonly faceHeights: number;
}

/**
 * The views of one pane in a shot; null where nobody has it: the whole image would show the person of the other pane again.
 *
 * @param shown the person that the pane shows in each frame; null: nobody
 */
export function paneViews(shown: readonly (Presence | null)[], context: PaneContext): (View | null)[] {
  const { geometry, framesPerSecond } = context;
  const views = new Array<View | null>(shown.length).fill(null);
  for (let from = 0; from < shown.length;) {
    const person = shown[from] ?? null;
    const to = endOfRun(shown, from);
    if (person !== null) {
      const targets = targetsOf(person, from, to, context);
      for (const [i, view] of cameraPath(targets, geometry, framesPerSecond).entries())
        views[from + i] = view;
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
  { geometry, everybody, others, faceHeights }: PaneContext,
): FaceTarget[] {
  const targets: FaceTarget[] = [];
  let last = Array.from({ length: to - from }, (_, i) => boxAt(person, from + i)).find((box) => box !== null);
  for (let at = from; at < to; at++) {
    const box: Box | undefined = boxAt(person, at) ?? last;
    if (box === undefined) continue;
    last = box;
    const neighbours = neighboursOf(person, everybody[at] ?? [], at);
    const beside = (others[at] ?? []).map((each) => boxAt(each, at)).filter((face) => face !== null);
    targets.push(faceTarget(box, beside, neighbours, geometry, faceHeights));
  }
  return targets;
}

/** The faces of everybody else in a frame. */
export function neighboursOf(person: Presence, everybody: readonly Presence[], at: number): Box[] {
  return everybody.flatMap((each) => {
    const neighbour = each.personId === person.personId ? null : boxAt(each, at);
    return neighbour === null ? [] : [neighbour];
  });
}

/** The frame after the last one that shows the same person as `from`. */
function endOfRun(shown: readonly (Presence | null)[], from: number): number {
  const end = shown.findIndex((person, at) => at > from && person !== shown[from]);
  return end === -1 ? shown.length : end;
}

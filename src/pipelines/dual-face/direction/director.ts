import { cameraAt, moveCamera, viewOf, type CameraState } from '../camera/camera.ts';
import { viewOfFace, wideView, type View, type ViewGeometry } from '../camera/view.ts';
import { isStable, isVisible, type Person } from '../identity/person.ts';
import { assignPanes, NO_ASSIGNMENT, type PaneAssignment } from './pane-assignment.ts';
import { areBothEmpty, ruleForPane, type PaneRule, type Situation } from './pane-rules.ts';

/** The views of the source that a frame of the split screen shows. */
export interface ScreenViews {
  /** null: the pane is black. */
  readonly left: View | null;
  readonly right: View | null;
  /** Opacity of the whole image over the panes, 0 to 1. */
  readonly whole: number;
}

/** Plain data that is stored in the checkpoint. */
export interface DirectionState {
  readonly assignment: PaneAssignment;
  readonly left: PaneState;
  readonly right: PaneState;
  readonly whole: number;
  /** Number of frames of each situation; each pane counts separately. */
  readonly counts: Readonly<Partial<Record<Situation, number>>>;
  readonly sideChanges: number;
  readonly cuts: number;
}

/** State of one pane. Plain data that is stored in the checkpoint. */
export interface PaneState {
  readonly camera: CameraState | null;
  /** Frames since the pane's person was last visible; null if the pane has had no person since the shot began. */
  readonly unseenFrames: number | null;
  /** Track of the pane's person, which shows whether the camera still follows the same face. */
  readonly trackId: number | null;
}

const EMPTY_PANE: PaneState = { camera: null, unseenFrames: null, trackId: null };

export interface DirectorOptions {
  readonly geometry: ViewGeometry;
  readonly framesPerSecond: number;
  readonly missing: 'wide' | 'black';
}

export const FIRST_DIRECTION: DirectionState = {
  assignment: NO_ASSIGNMENT,
  left: EMPTY_PANE,
  right: EMPTY_PANE,
  whole: 0,
  counts: {},
  sideChanges: 0,
  cuts: 0,
};

/** Duration of the cross-fade between the panes and the whole image. */
const FADE_SECONDS = 0.4;
/** A missing person keeps their pane for this long although another person could take it. */
const MAX_MISSING_SECONDS = 3;

/** The people in a frame. */
export interface Scene {
  /** Number of the frame, on the same scale as the `seenFrame` of the people. */
  readonly frame: number;
  readonly people: readonly Person[];
  /** Whether the frame is the first one of the video or after a cut. */
  readonly isNewShot: boolean;
}

interface DirectedPane {
  readonly state: PaneState;
  readonly rule: PaneRule;
}

/** Decides what a frame shows, from the state after the previous frame and the people in this one. */
export function direct(
  before: DirectionState,
  scene: Scene,
  options: DirectorOptions,
): { views: ScreenViews; state: DirectionState } {
  const { geometry, framesPerSecond, missing } = options;
  const { people, frame, isNewShot } = scene;
  const start = isNewShot
    ? { ...before, assignment: NO_ASSIGNMENT, left: EMPTY_PANE, right: EMPTY_PANE }
    : before;
  const assignment = assignPanes(start.assignment, people, frame, geometry.width, {
    isNewShot,
    maxMissingFrames: Math.round(MAX_MISSING_SECONDS * framesPerSecond),
  });
  const left = directPane('left', start, assignment, scene, options);
  const right = directPane('right', start, assignment, scene, options);
  const showsWhole = missing === 'wide' && areBothEmpty(left.rule, right.rule);
  const whole = isNewShot ? Number(showsWhole) : faded(before.whole, showsWhole, framesPerSecond);
  const view = ({ state: { camera }, rule: { content } }: DirectedPane): View | null =>
    camera === null || (content === 'wide' && missing === 'black') ? null : viewOf(camera, geometry);

  const situations: Situation[] = [left.rule.situation, right.rule.situation];
  if (showsWhole) situations.push('nobody');
  if (people.filter((person) => isVisible(person) && isStable(person)).length > 2)
    situations.push('three or more');
  const haveSwapped = !isNewShot && assignment.left !== null && assignment.left === start.assignment.right;
  return {
    views: { left: view(left), right: view(right), whole },
    state: {
      assignment,
      left: left.state,
      right: right.state,
      whole,
      counts: counted(before.counts, situations),
      sideChanges: before.sideChanges + Number(haveSwapped),
      cuts: before.cuts + Number(isNewShot && frame > 1),
    },
  };
}

/** The opacity of the whole image one frame later. */
function faded(whole: number, showsWhole: boolean, framesPerSecond: number): number {
  const step = 1 / Math.max(1, FADE_SECONDS * framesPerSecond);
  return Math.min(1, Math.max(0, whole + (showsWhole ? step : -step)));
}

function directPane(
  side: 'left' | 'right',
  start: DirectionState,
  assignment: PaneAssignment,
  { people, isNewShot }: Scene,
  { geometry, framesPerSecond }: DirectorOptions,
): DirectedPane {
  const before = start[side];
  const [formerId, id] = [start.assignment[side], assignment[side]];
  const person = people.find((each) => each.id === id) ?? null;
  const unseenFrames = unseenFramesOf(before, person);
  const rule = ruleForPane(unseenFrames === null ? null : unseenFrames / framesPerSecond);
  const { content } = rule;
  const view =
    content === 'follow' && person !== null ? viewOfFace(person.box, geometry) : wideView(geometry);
  const isOtherFace =
    formerId !== null && id !== formerId && person !== null && person.trackId !== before.trackId;
  // The camera may jump where a jump is not visible: at a cut, to another face, and behind the whole image.
  const jumps = isNewShot || isOtherFace || start.whole === 1;
  const camera = nextCamera(before.camera, { content, view, jumps }, geometry, framesPerSecond);
  return { state: { camera, unseenFrames, trackId: person?.trackId ?? before.trackId }, rule };
}

function nextCamera(
  camera: CameraState | null,
  target: { readonly content: PaneRule['content']; readonly view: View; readonly jumps: boolean },
  geometry: ViewGeometry,
  framesPerSecond: number,
): CameraState {
  if (camera === null || target.jumps) return cameraAt(target.view);
  if (target.content === 'hold') return cameraAt(viewOf(camera, geometry));
  return moveCamera(camera, target.view, 1 / framesPerSecond);
}

function unseenFramesOf(before: PaneState, person: Person | null): number | null {
  if (person !== null && isVisible(person)) return 0;
  return before.unseenFrames === null ? null : before.unseenFrames + 1;
}

function counted(
  counts: DirectionState['counts'],
  situations: readonly Situation[],
): DirectionState['counts'] {
  const next = { ...counts };
  for (const situation of situations) next[situation] = (next[situation] ?? 0) + 1;
  return next;
}

/** A summary for the log at the end of a job. */
export function describeDirection({ counts, sideChanges, cuts }: DirectionState): string {
  const listed = Object.entries(counts).map(([situation, frames]) => `${situation} ${frames}`);
  return `pane frames: ${listed.join(', ')}; cuts: ${cuts}, side changes: ${sideChanges}`;
}

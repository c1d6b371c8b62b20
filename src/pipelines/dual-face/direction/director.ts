import type { DualFaceRecipe } from '../../../domain/recipe.ts';
import { cameraAt, keepNear, moveCamera, viewOf, type CameraState } from '../camera/camera.ts';
import { viewOfFace, wideView, type View, type ViewGeometry } from '../camera/view.ts';
import { isStable, isVisible, type Person } from '../identity/person.ts';
import { assignPanes, NO_ASSIGNMENT, type PaneAssignment } from './pane-assignment.ts';
import { ruleForPane, whyWholeFrame, type PaneRule, type Situation } from './pane-rules.ts';
import type { Side } from './sides.ts';

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
  readonly recipe: Pick<DualFaceRecipe, 'layout' | 'single' | 'missing'>;
}

export const FIRST_DIRECTION: DirectionState = {
  assignment: NO_ASSIGNMENT,
  left: EMPTY_PANE,
  right: EMPTY_PANE,
  whole: 0,
  counts: {},
  cuts: 0,
};

/** Duration of the cross-fade from the panes to the whole image. */
const FADE_SECONDS = 0.4;
/** A missing person keeps their pane for this long although another person could take it. */
const MAX_MISSING_SECONDS = 3;

/** A person counts as hidden by another after this many uncertain frames; a single one may be the detector's mistake. */
const HIDDEN_FRAMES = 2;

/** The people in a frame. */
export interface Scene {
  /** Number of the frame, on the same scale as the `seenFrame` of the people. */
  readonly frame: number;
  readonly people: readonly Person[];
  /** Whether the frame is the first one of the video or after a cut. */
  readonly isNewShot: boolean;
  /** Whether the shot has just begun (see `isSettling`). */
  readonly isSettling: boolean;
}

interface DirectedPane {
  readonly person: Person | null;
  readonly state: PaneState;
  readonly rule: PaneRule;
}

/** Decides what a frame shows, from the state after the previous frame and the people in this one. */
export function direct(
  before: DirectionState,
  scene: Scene,
  options: DirectorOptions,
): { views: ScreenViews; state: DirectionState } {
  const { geometry, framesPerSecond, recipe } = options;
  const { people, frame, isNewShot, isSettling } = scene;
  const start = isNewShot ? withoutPeople(before) : renamed(before, people);
  const assignment = assignPanes(start.assignment, people, {
    ...{ frame, isSettling, geometry, layout: recipe.layout },
    maxMissingFrames: Math.round(MAX_MISSING_SECONDS * framesPerSecond),
    showsAlone: recipe.single === 'own-side',
  });
  const left = directPane('left', start, assignment, scene, options);
  const right = directPane('right', start, assignment, scene, options);
  const isHidden = hides(left, right, geometry) || hides(right, left, geometry);
  const why = whyWholeFrame(left.rule, right.rule, isHidden, recipe);
  // Only somebody's absence fades in: a face that is hidden or back must not wait.
  const isAtOnce = isSettling || why === 'hidden' || why === null;
  const whole = isAtOnce ? Number(why !== null) : faded(before.whole, framesPerSecond);
  const view = ({ state: { camera }, rule: { content } }: DirectedPane): View | null =>
    camera === null || (content === 'wide' && recipe.missing === 'black') ? null : viewOf(camera, geometry);

  const situations: Situation[] = [left.rule.situation, right.rule.situation];
  if (why !== null) situations.push(why);
  if (people.filter((person) => isVisible(person) && isStable(person)).length > 2)
    situations.push('three or more');
  return {
    views: { left: view(left), right: view(right), whole },
    state: {
      assignment,
      left: left.state,
      right: right.state,
      whole,
      counts: counted(before.counts, situations),
      cuts: before.cuts + Number(isNewShot && frame > 1),
    },
  };
}

/** The state at a cut: nothing of the shot before stays, except who had which pane. */
function withoutPeople(before: DirectionState): DirectionState {
  const assignment = { ...NO_ASSIGNMENT, sides: before.assignment.sides };
  return { ...before, assignment, left: EMPTY_PANE, right: EMPTY_PANE };
}

/** The state with the new ids of people who turned out to be somebody known; their tracks stay the same. */
function renamed(before: DirectionState, people: readonly Person[]): DirectionState {
  const { assignment } = before;
  const idOf = (side: Side): number | null => {
    const id = assignment[side];
    if (id === null || people.some((each) => each.id === id)) return id;
    return people.find(({ trackId }) => trackId !== null && trackId === before[side].trackId)?.id ?? id;
  };
  return { ...before, assignment: { ...assignment, left: idOf('left'), right: idOf('right') } };
}

/** Whether the person of one pane stands where the other pane shows somebody who is no longer seen. */
function hides(one: DirectedPane, other: DirectedPane, geometry: ViewGeometry): boolean {
  if (one.person === null || other.person === null) return false;
  const isHolding = other.rule.content === 'follow' || other.rule.content === 'hold';
  return (
    isHolding &&
    one.person.uncertainFrames === 0 &&
    other.person.uncertainFrames >= HIDDEN_FRAMES &&
    isInView(other.state.camera, one.person, geometry)
  );
}

/** The opacity of the whole image one frame later, while it fades in. */
function faded(whole: number, framesPerSecond: number): number {
  return Math.min(1, whole + 1 / Math.max(1, FADE_SECONDS * framesPerSecond));
}

function directPane(
  side: 'left' | 'right',
  start: DirectionState,
  assignment: PaneAssignment,
  { people, isNewShot, isSettling }: Scene,
  { geometry, framesPerSecond, recipe }: DirectorOptions,
): DirectedPane {
  const before = start[side];
  const [formerId, id] = [start.assignment[side], assignment[side]];
  const person = people.find((each) => each.id === id) ?? null;
  const unseenFrames = unseenFramesOf(before, person);
  const rule = ruleForPane(unseenFrames === null ? null : unseenFrames / framesPerSecond);
  const { content } = rule;
  const view =
    content === 'follow' && person !== null ? viewOfFace(person.box, geometry) : wideView(geometry);
  const isOtherTrack = person !== null && person.trackId !== before.trackId;
  const isOtherFace = formerId !== null && id !== formerId && isOtherTrack;
  const isElsewhere = isOtherTrack && !isInView(before.camera, person, geometry);
  const isNewAtCut = isNewShot || (isSettling && id !== formerId);
  // The camera may jump where a jump is not visible: at a cut, to another face, and behind the whole image.
  const jumps = isNewAtCut || isOtherFace || isElsewhere || start.whole === 1;
  // A pane that will make way for the whole image does not zoom out before.
  const holds = content === 'hold' || (content === 'zoom out' && recipe.single !== 'own-side');
  const target = { isFace: content === 'follow', holds, view, jumps };
  const camera = nextCamera(before.camera, target, geometry, framesPerSecond);
  return { person, state: { camera, unseenFrames, trackId: person?.trackId ?? before.trackId }, rule };
}

/** Whether a camera shows a person's face; a face that reappears elsewhere is not worth a long way through the image. */
function isInView(camera: CameraState | null, { box }: Person, geometry: ViewGeometry): boolean {
  if (camera === null) return false;
  const { centerX, centerY, height } = viewOf(camera, geometry);
  return (
    Math.abs(box.x + box.width / 2 - centerX) < (height * geometry.aspect) / 2 &&
    Math.abs(box.y + box.height / 2 - centerY) < height / 2
  );
}

interface CameraTarget {
  readonly view: View;
  /** Whether the view is that of a face, which must not leave the pane. */
  readonly isFace: boolean;
  readonly holds: boolean;
  readonly jumps: boolean;
}

function nextCamera(
  camera: CameraState | null,
  { view, isFace, holds, jumps }: CameraTarget,
  geometry: ViewGeometry,
  framesPerSecond: number,
): CameraState {
  if (camera === null || jumps) return cameraAt(view);
  if (holds) return cameraAt(viewOf(camera, geometry));
  const moved = moveCamera(camera, view, 1 / framesPerSecond);
  return isFace ? keepNear(camera, moved, view, 1 / framesPerSecond) : moved;
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
export function describeDirection({ counts, cuts }: DirectionState): string {
  const listed = Object.entries(counts).map(([situation, frames]) => `${situation} ${frames}`);
  return `pane frames: ${listed.join(', ')}; cuts: ${cuts}`;
}

import { follow, standAt, viewOf, type CameraState } from '../camera/camera.ts';
import { viewOfFace, wideView, type Stage, type View } from '../camera/view.ts';
import { isStable, isVisible, type Person } from '../identity/person.ts';
import { EMPTY_CAST, recast, type Cast } from './cast.ts';
import { isNobody, ruleForPane, type FailureRule, type Situation } from './failure-table.ts';

/** What a frame of the finished video shows. */
export interface Shot {
  /** null: black. */
  readonly left: View | null;
  readonly right: View | null;
  /** 0: the panes; 1: the whole image; between: one fades into the other. */
  readonly whole: number;
}

/** Plain data: it is stored with the checkpoint. */
export interface DirectionState {
  readonly cast: Cast;
  readonly left: PaneState;
  readonly right: PaneState;
  readonly whole: number;
  /** Frames that each situation lasted for, panes counted one by one. */
  readonly counts: Readonly<Partial<Record<Situation, number>>>;
  readonly sideChanges: number;
  readonly cuts: number;
}

/** What one pane shows. Plain data: it is stored with the checkpoint. */
export interface PaneState {
  readonly camera: CameraState | null;
  /** Frames since its person was seen last; null: it has had nobody since the shot began. */
  readonly unseenFrames: number | null;
  /** The track of its person, by which the camera knows whether it still looks at the same face. */
  readonly trackId: number | null;
}

const EMPTY_PANE: PaneState = { camera: null, unseenFrames: null, trackId: null };

export interface DirectorOptions {
  readonly stage: Stage;
  readonly framesPerSecond: number;
  readonly missing: 'wide' | 'black';
}

export const FIRST_DIRECTION: DirectionState = {
  cast: EMPTY_CAST,
  left: EMPTY_PANE,
  right: EMPTY_PANE,
  whole: 0,
  counts: {},
  sideChanges: 0,
  cuts: 0,
};

/** Seconds that panes and the whole image take to fade into each other. */
const FADE_SECONDS = 0.4;
/** A person who is missing keeps their place in the cast for so long while somebody else could have it. */
const PATIENCE_SECONDS = 3;

/** What has been seen in a frame. */
export interface Scene {
  /** Number of the frame in the count that the people's `seenFrame` is of. */
  readonly frame: number;
  readonly people: readonly Person[];
  /** The first frame of the video, or of another shot. */
  readonly isNewShot: boolean;
}

/** Decides what a frame shows, from what the frame before showed and who is to be seen. */
export function direct(
  before: DirectionState,
  scene: Scene,
  options: DirectorOptions,
): { shot: Shot; state: DirectionState } {
  const { stage, framesPerSecond, missing } = options;
  const { people, frame, isNewShot } = scene;
  const patience = Math.round(PATIENCE_SECONDS * framesPerSecond);
  const start = isNewShot ? { ...before, cast: EMPTY_CAST } : before;
  const cast = recast(start.cast, people, frame, stage.width, { isNewShot, patience });
  const pane = (side: 'left' | 'right'): { state: PaneState; rule: FailureRule } => {
    const person = people.find(({ id }) => id === cast[side]) ?? null;
    const hasChanged = cast[side] !== start.cast[side] && person?.trackId !== start[side].trackId;
    const isOtherFace = hasChanged && start.cast[side] !== null && person !== null;
    // A camera that nobody saw jumps unseen.
    const jumps = isNewShot || isOtherFace || start.whole === 1;
    return directPane(isNewShot ? EMPTY_PANE : start[side], person, { ...options, jumps });
  };
  const [left, right] = [pane('left'), pane('right')];
  const wantsWhole = missing === 'wide' && isNobody(left.rule, right.rule);
  const fade = 1 / Math.max(1, FADE_SECONDS * framesPerSecond);
  const toward = Math.min(1, Math.max(0, start.whole + (wantsWhole ? fade : -fade)));
  const whole = isNewShot ? Number(wantsWhole) : toward;
  const shown = ({ state, rule: { showing } }: typeof left): View | null =>
    state.camera === null || (showing === 'wide' && missing === 'black') ? null : viewOf(state.camera, stage);

  const situations: Situation[] = [left.rule.situation, right.rule.situation];
  if (wantsWhole) situations.push('nobody');
  if (people.filter((person) => isVisible(person) && isStable(person)).length > 2)
    situations.push('three or more');
  const haveSwapped = !isNewShot && cast.left !== null && cast.left === start.cast.right;
  return {
    shot: { left: shown(left), right: shown(right), whole },
    state: {
      cast,
      left: left.state,
      right: right.state,
      whole,
      counts: counted(before.counts, situations),
      sideChanges: before.sideChanges + Number(haveSwapped),
      cuts: before.cuts + Number(isNewShot && frame > 1),
    },
  };
}

function directPane(
  before: PaneState,
  person: Person | null,
  { stage, framesPerSecond, jumps }: DirectorOptions & { readonly jumps: boolean },
): { state: PaneState; rule: FailureRule } {
  const unseenFrames = unseen(before, person);
  const decided = ruleForPane(unseenFrames === null ? null : unseenFrames / framesPerSecond);
  const { showing } = decided;
  const view = showing === 'follow' && person !== null ? viewOfFace(person.box, stage) : wideView(stage);
  const camera =
    before.camera === null || jumps
      ? standAt(view)
      : showing === 'hold'
        ? standAt(viewOf(before.camera, stage))
        : follow(before.camera, view, 1 / framesPerSecond);
  return { state: { camera, unseenFrames, trackId: person?.trackId ?? before.trackId }, rule: decided };
}

function unseen(before: PaneState, person: Person | null): number | null {
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

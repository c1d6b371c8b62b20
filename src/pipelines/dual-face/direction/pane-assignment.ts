import { isStable, isVisible, type Person } from '../identity/person.ts';
import { sidesOf, type PanesWithHistory, type Side, type SideOptions } from './sides.ts';

/** The person of each pane. Plain data that is stored in the checkpoint. */
export interface PaneAssignment extends PanesWithHistory {
  /** Consecutive frames in which another person outweighed one of the two. */
  readonly outweighedFrames: number;
}

export const NO_ASSIGNMENT: PaneAssignment = { left: null, right: null, outweighedFrames: 0, sides: {} };

export interface AssignmentOptions extends SideOptions {
  /** Number of the frame. */
  readonly frame: number;
  /** Frames for which a missing person keeps their weight against others. */
  readonly maxMissingFrames: number;
}

/** Another person replaces one of the two only after this many consecutive frames. */
export const SWITCH_FRAMES = 15;
/** Another person must weigh this many times as much as one of the two to replace them. */
const OUTWEIGHS = 1.5;
/** Minimum weight of a missing person, as a share of their height. */
const MISSING_WEIGHT = 0.7;

/**
 * Assigns people to the panes: the two that are largest and visible for most of the time. A person in a pane stays until
 * another one has been more prominent for SWITCH_FRAMES, and gets the same pane in all shots of the video.
 */
export function assignPanes(
  before: PaneAssignment,
  people: readonly Person[],
  options: AssignmentOptions,
): PaneAssignment {
  const { chosen, outweighedFrames } = choosePeople(before, people, options);
  const panes = sidesOf(chosen, before, options);
  const isShown = chosen.length === 2 || options.showsAlone;
  const known = people.flatMap(({ id }) => {
    const side = before.sides[id];
    return side === undefined ? [] : [[id, side] as const];
  });
  const sides: Record<number, Side> = Object.fromEntries(known);
  if (isShown && !options.isSettling) {
    if (panes.left !== null) sides[panes.left] ??= 'left';
    if (panes.right !== null) sides[panes.right] ??= 'right';
  }
  return { ...panes, outweighedFrames, sides };
}

/** At most two people, those who already have a pane first. */
function choosePeople(
  before: PaneAssignment,
  people: readonly Person[],
  { frame, maxMissingFrames }: AssignmentOptions,
): { chosen: Person[]; outweighedFrames: number } {
  const kept = [before.left, before.right]
    .map((id) => people.find((each) => each.id === id))
    .filter((person) => person !== undefined)
    .filter((person) => isVisible(person) || isStable(person));
  const candidates = people
    .filter((each) => isVisible(each) && isStable(each))
    .filter(({ id }) => kept.every((each) => each.id !== id))
    .sort((a, b) => weightOf(b) - weightOf(a));
  const [best] = candidates;
  if (best === undefined || kept.length < 2)
    return { chosen: [...kept, ...candidates].slice(0, 2), outweighedFrames: 0 };

  const keptWeight = (person: Person): number => keptWeightOf(person, frame, maxMissingFrames);
  const [weakest, other] = [...kept].sort((a, b) => keptWeight(a) - keptWeight(b));
  const isOutweighed = weakest !== undefined && weightOf(best) > OUTWEIGHS * keptWeight(weakest);
  const outweighedFrames = isOutweighed ? before.outweighedFrames + 1 : 0;
  return other !== undefined && outweighedFrames >= SWITCH_FRAMES
    ? { chosen: [other, best], outweighedFrames: 0 }
    : { chosen: kept, outweighedFrames };
}

/** Prominence of a person: height of the face times the share of time in which it is visible. */
function weightOf({ presence, height }: Person): number {
  return presence * height;
}

/** Weight of a person in a pane, which does not fade while they are missing for a short time. */
function keptWeightOf(person: Person, frame: number, maxMissingFrames: number): number {
  if (frame - person.seenFrame > maxMissingFrames) return 0;
  return Math.max(weightOf(person), person.height * MISSING_WEIGHT);
}

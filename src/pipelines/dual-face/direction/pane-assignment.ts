import { isStable, isVisible, type Person } from '../identity/person.ts';

/** The person of each pane. Plain data that is stored in the checkpoint. */
export interface PaneAssignment {
  /** Id of the person in the left pane; null if the pane is empty. */
  readonly left: number | null;
  readonly right: number | null;
  /** Consecutive frames in which the two people were on opposite sides, beyond the hysteresis. */
  readonly crossedFrames: number;
  /** Consecutive frames in which another person outweighed one of the two. */
  readonly outweighedFrames: number;
}

export const NO_ASSIGNMENT: PaneAssignment = {
  left: null,
  right: null,
  crossedFrames: 0,
  outweighedFrames: 0,
};

export interface AssignmentOptions {
  /** Whether the frame is the first one of the video or after a cut; people are then accepted before they are stable. */
  readonly isNewShot: boolean;
  /** Frames for which a missing person keeps their weight against others. */
  readonly maxMissingFrames: number;
}

/** The panes change only after this many consecutive frames. */
export const SWITCH_FRAMES = 15;
/** Distance of two crossed people, as a share of the image's width, from which they count as crossed. */
export const HYSTERESIS = 0.1;
/** Another person must weigh this many times as much as one of the two to replace them. */
const OUTWEIGHS = 1.5;
/** Minimum weight of a missing person, as a share of their height. */
const MISSING_WEIGHT = 0.7;

/**
 * Assigns people to the panes: the two that are largest and visible for most of the time. A person in a pane stays until
 * another one has been more prominent for SWITCH_FRAMES, and two people swap sides once they have clearly crossed.
 *
 * @param width of the image in pixels
 */
export function assignPanes(
  before: PaneAssignment,
  people: readonly Person[],
  frame: number,
  width: number,
  { isNewShot, maxMissingFrames }: AssignmentOptions,
): PaneAssignment {
  const canStay = (person: Person): boolean => isVisible(person) || (isStable(person) && !isNewShot);
  const kept = [before.left, before.right]
    .map((id) => people.find((each) => each.id === id))
    .filter((person) => person !== undefined)
    .filter(canStay);
  const candidates = people
    .filter((each) => isVisible(each) && (isStable(each) || isNewShot))
    .filter(({ id }) => kept.every((each) => each.id !== id))
    .sort((a, b) => weightOf(b) - weightOf(a));
  const [best] = candidates;
  if (best === undefined) return { ...withSides(before, kept, width), outweighedFrames: 0 };
  if (kept.length < 2) return bySides(before, [...kept, ...candidates].slice(0, 2), width);

  const keptWeight = (person: Person): number => keptWeightOf(person, frame, maxMissingFrames);
  const [weakest, other] = [...kept].sort((a, b) => keptWeight(a) - keptWeight(b));
  if (weakest === undefined || other === undefined) return before;
  const isOutweighed = weightOf(best) > OUTWEIGHS * keptWeight(weakest);
  const outweighedFrames = isOutweighed ? before.outweighedFrames + 1 : 0;
  return outweighedFrames >= SWITCH_FRAMES
    ? bySides(before, [other, best], width)
    : { ...withSides(before, kept, width), outweighedFrames };
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

/** Assigns a new pair by position; a single person keeps their pane. */
function bySides(before: PaneAssignment, people: readonly Person[], width: number): PaneAssignment {
  const [a, b] = people;
  if (a === undefined) return NO_ASSIGNMENT;
  if (b !== undefined) {
    const [left, right] = a.x <= b.x ? [a, b] : [b, a];
    return { ...NO_ASSIGNMENT, left: left.id, right: right.id };
  }
  const isLeft = a.id === before.left || (a.id !== before.right && a.x < width / 2);
  return { ...NO_ASSIGNMENT, [isLeft ? 'left' : 'right']: a.id };
}

/** Keeps the people in their panes, and swaps them once they have clearly crossed. */
function withSides(before: PaneAssignment, kept: readonly Person[], width: number): PaneAssignment {
  const left = kept.find(({ id }) => id === before.left);
  const right = kept.find(({ id }) => id === before.right);
  if (left === undefined || right === undefined) return bySides(before, kept, width);
  const areCrossed = isVisible(left) && isVisible(right) && left.x - right.x > HYSTERESIS * width;
  const crossedFrames = areCrossed ? before.crossedFrames + 1 : 0;
  return crossedFrames >= SWITCH_FRAMES
    ? { ...before, left: right.id, right: left.id, crossedFrames: 0 }
    : { ...before, left: left.id, right: right.id, crossedFrames };
}

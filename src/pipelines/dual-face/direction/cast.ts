import { isStable, isVisible, type Person } from '../identity/person.ts';

/** Which of the people are shown, and where. Plain data: it is stored with the checkpoint. */
export interface Cast {
  /** Ids of people; null: nobody has that side. */
  readonly left: number | null;
  readonly right: number | null;
  /** Frames in a row in which the two stood the other way round, beyond the hysteresis. */
  readonly crossedFrames: number;
  /** Frames in a row in which somebody else outweighed one of the two. */
  readonly outweighedFrames: number;
}

export const EMPTY_CAST: Cast = { left: null, right: null, crossedFrames: 0, outweighedFrames: 0 };

/** C5: sides change after so many frames in a row, and so much of the image's width beyond each other. */
export const STAY_FRAMES = 15;
export const HYSTERESIS = 0.1;
/** Somebody else must weigh so many times as much as one of the two to take their place. */
const OUTWEIGHS = 1.5;

/**
 * Who of several people are the two, and on which sides: the largest who are seen most of the time; whoever is in the
 * cast stays until they are outweighed for a while, and keeps their side until they have clearly changed places.
 *
 * @param isNewShot the first frame, or one after a cut: faces are taken before they are stable
 * @param patience frames that a missing person keeps their place for while somebody else could take it
 */
export function recast(
  before: Cast,
  people: readonly Person[],
  frame: number,
  width: number,
  { isNewShot, patience }: { readonly isNewShot: boolean; readonly patience: number },
): Cast {
  const person = (id: number | null): Person | null => people.find((each) => each.id === id) ?? null;
  const stays = (id: number | null): Person | null => {
    const found = person(id);
    if (found === null || isVisible(found) || (isStable(found) && !isNewShot)) return found;
    return null;
  };
  const kept = [stays(before.left), stays(before.right)].filter((each) => each !== null);
  const ranked = people
    .filter((each) => isVisible(each) && (isStable(each) || isNewShot))
    .filter(({ id }) => kept.every((each) => each.id !== id))
    .sort((a, b) => weightOf(b) - weightOf(a));
  const [best] = ranked;

  if (kept.length < 2 && best !== undefined) {
    const two = [...kept, ...ranked].slice(0, 2);
    return seated(before, two, width);
  }
  const weakest = [...kept].sort(
    (a, b) => keepingWeight(a, frame, patience) - keepingWeight(b, frame, patience),
  )[0];
  if (best !== undefined && weakest !== undefined) {
    const isOutweighed = weightOf(best) > OUTWEIGHS * keepingWeight(weakest, frame, patience);
    const outweighedFrames = isOutweighed ? before.outweighedFrames + 1 : 0;
    if (outweighedFrames >= STAY_FRAMES) {
      return seated(before, [...kept.filter((each) => each !== weakest), best], width);
    }
    return { ...withSides(before, kept, width), outweighedFrames };
  }
  return { ...withSides(before, kept, width), outweighedFrames: 0 };
}

/** How much of the image is theirs, for how much of the time. */
function weightOf({ presence, height }: Person): number {
  return presence * height;
}

/** Somebody missing keeps their weight for as long as they are waited for. */
function keepingWeight(person: Person, frame: number, patience: number): number {
  return frame - person.seenFrame <= patience ? Math.max(weightOf(person), person.height * 0.7) : 0;
}

/** A new pair takes its sides by place; somebody who stays alone keeps theirs. */
function seated(before: Cast, people: readonly Person[], width: number): Cast {
  const [a, b] = people;
  const calm = { crossedFrames: 0, outweighedFrames: 0 };
  if (a === undefined) return { left: null, right: null, ...calm };
  if (b !== undefined) {
    const isInOrder = a.x <= b.x;
    return { left: (isInOrder ? a : b).id, right: (isInOrder ? b : a).id, ...calm };
  }
  if (a.id === before.left) return { left: a.id, right: null, ...calm };
  if (a.id === before.right) return { left: null, right: a.id, ...calm };
  return a.x < width / 2 ? { left: a.id, right: null, ...calm } : { left: null, right: a.id, ...calm };
}

/** The same people; those who have clearly changed places change sides. */
function withSides(before: Cast, kept: readonly Person[], width: number): Cast {
  const left = kept.find(({ id }) => id === before.left);
  const right = kept.find(({ id }) => id === before.right);
  if (left === undefined || right === undefined) return seated(before, kept, width);
  const areCrossed = isVisible(left) && isVisible(right) && left.x - right.x > HYSTERESIS * width;
  const crossedFrames = areCrossed ? before.crossedFrames + 1 : 0;
  return crossedFrames >= STAY_FRAMES
    ? { ...before, left: right.id, right: left.id, crossedFrames: 0 }
    : { ...before, left: left.id, right: right.id, crossedFrames };
}

import { isMissing, type Person } from './person.ts';

/**
 * Limits for finding a missing person without an embedding: the distance from where they were last seen, in widths of
 * the face, the ratio of the heights, and how long they have been missing.
 */
const MAX_DISTANCE = 1.5;
const MAX_HEIGHT_RATIO = 1.5;
const MAX_FRAMES = 90;

type TrackFields = 'trackId' | 'box' | 'seenFrame' | 'uncertainFrames' | 'presence' | 'x' | 'height';

/** Gives the track of `from` to `to`. `from` gets the track that `to` had, with a check, or becomes missing. */
export function reassignTrack(people: readonly Person[], from: Person, to: Person, frame: number): Person[] {
  const found: Person = {
    ...to,
    ...trackOf(from),
    confidentFrames: Math.max(to.confidentFrames, from.confidentFrames),
    check: null,
  };
  // A new person without a gallery turned out to be `to`, and is dropped.
  if (isMissing(to) && from.gallery.length === 0)
    return replacePerson(people, found).filter(({ id }) => id !== from.id);
  const other: Person = isMissing(to)
    ? { ...from, trackId: null, check: null }
    : { ...from, ...trackOf(to), check: { reason: 'overlap', dueFrame: frame, comparisons: 0 } };
  return replacePerson(replacePerson(people, found), other);
}

/** Ends a check without an embedding: a new person of the size and position of a missing one is that person. */
export function findByPosition(people: readonly Person[], person: Person, frame: number): Person[] {
  const checked = { ...person, check: null };
  if (person.check?.reason !== 'new') return replacePerson(people, checked);
  const nearest = people
    .filter((each) => each.id !== person.id && isMissing(each) && frame - each.seenFrame <= MAX_FRAMES)
    .map((each) => ({ each, distance: distanceInWidths(each, person) }))
    .filter(({ each, distance }) => distance <= MAX_DISTANCE && haveSimilarHeight(each, person))
    .sort((a, b) => a.distance - b.distance)[0];
  return nearest === undefined
    ? replacePerson(people, checked)
    : reassignTrack(people, person, nearest.each, frame);
}

/** The people with one of them replaced by the version given. */
export function replacePerson(people: readonly Person[], person: Person): Person[] {
  return people.map((each) => (each.id === person.id ? person : each));
}

function trackOf(person: Person): Pick<Person, TrackFields> {
  const { trackId, box, seenFrame, uncertainFrames, presence, x, height } = person;
  return { trackId, box, seenFrame, uncertainFrames, presence, x, height };
}

function distanceInWidths(a: Person, b: Person): number {
  return Math.hypot(a.box.x - b.box.x, a.box.y - b.box.y) / Math.max(a.box.width, b.box.width);
}

function haveSimilarHeight(a: Person, b: Person): boolean {
  return Math.max(a.box.height, b.box.height) <= MAX_HEIGHT_RATIO * Math.min(a.box.height, b.box.height);
}

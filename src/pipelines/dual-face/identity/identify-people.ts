import { distanceOf, SAME_PERSON_DISTANCE } from './face-embedder.ts';
import { PersonBuilder, type Person } from './person.ts';
import type { Sighting, Tracklet } from './tracklet.ts';

/**
 * Limits for continuing a person by position: frames between two tracklets, distance in widths of the face, ratio of the
 * heights, and the distance of embeddings, where there are any, beyond which the faces cannot be the same.
 */
const MAX_FRAMES = 90;
const MAX_WIDTHS = 1.5;
const MAX_HEIGHT_RATIO = 1.5;
const OTHER_PERSON_DISTANCE = 0.5;

/**
 * Decides who is who in the whole video: all embeddings of a tracklet decide together. The tracklets with most embeddings
 * found people first, because their means are the most reliable; two tracklets that are seen in the same frame are never
 * the same person. Tracklets without embeddings continue somebody who was seen near them in the same shot.
 */
export function identifyPeople(tracklets: readonly Tracklet[]): Person[] {
  const people: PersonBuilder[] = [];
  const ranked = tracklets
    .filter(({ embeddings }) => embeddings.length > 0)
    .sort((a, b) => b.embeddings.length - a.embeddings.length || a.id - b.id);
  for (const tracklet of ranked) {
    const one = new PersonBuilder();
    one.add(tracklet);
    const known = nearest(one, people, SAME_PERSON_DISTANCE);
    if (known === null) people.push(one);
    else known.add(tracklet);
  }
  mergeSamePeople(people);
  mergeNeighbours(people);
  for (const tracklet of tracklets.filter(({ embeddings }) => embeddings.length === 0)) {
    const one = new PersonBuilder();
    one.add(tracklet);
    const host = nearestInPlace(one, people);
    if (host === null) people.push(one);
    else host.add(tracklet);
  }
  return people
    .sort((a, b) => a.firstFrame - b.firstFrame)
    .map(({ tracklets: own }, i) => ({ id: i + 1, tracklets: own }));
}

/** The person with the nearest mean embedding, not seen in the same frames; null if nobody is near enough. */
function nearest(one: PersonBuilder, people: readonly PersonBuilder[], limit: number): PersonBuilder | null {
  let best: PersonBuilder | null = null;
  let least = limit;
  for (const other of people) {
    const distance = meanDistance(one, other);
    if (distance > least || other === one || other.conflictsWith(one.tracklets)) continue;
    [best, least] = [other, distance];
  }
  return best;
}

/** Merges people whose means have come close to each other while they got more embeddings. */
function mergeSamePeople(people: PersonBuilder[]): void {
  // The first `settled` people resemble nobody, except perhaps `changed`, who was merged last. So after each merge they
  // are compared with that person only.
  let settled = 0;
  let changed: PersonBuilder | null = null;
  for (let i = 0; i < people.length; i++) {
    const one = people[i];
    if (one === undefined) continue;
    const others = i >= settled || changed === null || one === changed ? people : [changed];
    const same = nearest(one, others, SAME_PERSON_DISTANCE);
    if (same === null) {
      settled = Math.max(settled, i + 1);
      continue;
    }
    moveInto(people, one, same);
    if (i < settled) settled--;
    changed = same;
    i = -1;
  }
}

/** Merges people of a single tracklet into somebody seen nearby shortly before or after, unless the faces differ a lot. */
function mergeNeighbours(people: PersonBuilder[]): void {
  for (const one of [...people]) {
    if (one.tracklets.length > 1) continue;
    const host = nearestInPlace(one, people);
    if (host !== null) moveInto(people, one, host);
  }
}

function moveInto(people: PersonBuilder[], one: PersonBuilder, host: PersonBuilder): void {
  for (const tracklet of one.tracklets) host.add(tracklet);
  people.splice(people.indexOf(one), 1);
}

/** The person who was seen nearest to the only tracklet of `one`, shortly before or after; null if nobody was. */
function nearestInPlace(one: PersonBuilder, people: readonly PersonBuilder[]): PersonBuilder | null {
  const [tracklet] = one.tracklets;
  if (tracklet === undefined) return null;
  let best: PersonBuilder | null = null;
  let least = MAX_WIDTHS;
  for (const other of people) {
    if (other === one) continue;
    let distance = Infinity;
    for (const each of other.tracklets) distance = Math.min(distance, distanceInPlace(tracklet, each));
    if (distance > least || meanDistance(one, other, 0) > OTHER_PERSON_DISTANCE) continue;
    if (!other.conflictsWith(one.tracklets)) [best, least] = [other, distance];
  }
  return best;
}

/** Distance in widths of the face between the ends of two tracklets that may continue each other; otherwise infinite. */
function distanceInPlace(a: Tracklet, b: Tracklet): number {
  if (a.shot !== b.shot) return Infinity;
  return Math.min(stepOf(a.sightings.at(-1), b.sightings[0]), stepOf(b.sightings.at(-1), a.sightings[0]));
}

function stepOf(from: Sighting | undefined, to: Sighting | undefined): number {
  if (from === undefined || to === undefined) return Infinity;
  const frames = to.frame - from.frame;
  const [a, b] = [from.box, to.box];
  const ratio = Math.max(a.height, b.height) / Math.min(a.height, b.height);
  if (frames <= 0 || frames > MAX_FRAMES || ratio > MAX_HEIGHT_RATIO) return Infinity;
  return Math.hypot(a.x - b.x, a.y - b.y) / Math.max(a.width, b.width);
}

/** @param without embeddings of either: this value */
function meanDistance(a: PersonBuilder, b: PersonBuilder, without = Infinity): number {
  const [one, other] = [a.mean(), b.mean()];
  return one === null || other === null ? without : distanceOf(one, other);
}

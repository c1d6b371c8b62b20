import type { TrackedFace } from '../tracking/byte-tracker.ts';
import { nearest } from './gallery.ts';
import {
  isCrowded,
  isMissing,
  isStable,
  newcomer,
  observe,
  UNCERTAIN_FRAMES,
  type Person,
} from './person.ts';

/** Plain data: it is stored with the checkpoint. */
export interface IdentityState {
  readonly nextId: number;
  readonly people: readonly Person[];
  readonly counts: IdentityCounts;
}

export interface IdentityCounts {
  /** Embeddings for a look at somebody in doubt, and for the gallery of somebody who is not. */
  readonly looks: number;
  readonly enrolments: number;
  /** Looks after which a track was given to another person. */
  readonly corrections: number;
  /** Frames in which at least one embedding was computed. */
  readonly framesWithLooks: number;
}

/** The embedding of the face in a box of the current frame; null where there is none to be had. */
export type EmbedFace = (face: TrackedFace) => Promise<Float32Array | null>;

export const NOBODY: IdentityState = {
  nextId: 1,
  people: [],
  counts: { looks: 0, enrolments: 0, corrections: 0, framesWithLooks: 0 },
};

const LOOKS = 3;
const FRAMES_BETWEEN_LOOKS = 5;
const GALLERY = 3;
const FRAMES_BETWEEN_ENROLMENTS = 20;
/** Those who were never stable are forgotten at once, the others after so many frames. */
const REMEMBERED_FRAMES = 1800;
const UNSTABLE_FRAMES = 30;
const PEOPLE = 8;
/** A face must be seen as well as this for its embedding to be worth anything. */
const LOOKABLE = 0.6;
/** Without embeddings: how far from where somebody was lost they may be found, in widths, and at what ratio of heights. */
const FOUND_WITHIN = 1.5;
const FOUND_RATIO = 1.5;
const FOUND_FRAMES = 90;

/**
 * Who is who, over the tracker: a person outlives their track. Conditional re-identification (C3): a face is compared
 * with the galleries only when there is doubt; without embeddings, somebody lost is found again by place and size.
 *
 * @param faces of the next frame that was looked at, from the tracker
 * @param frame its number, from 1
 */
export async function identify(
  before: IdentityState,
  faces: readonly TrackedFace[],
  frame: number,
  look: EmbedFace,
): Promise<IdentityState> {
  const byTrack = new Map(faces.map((face) => [face.id, face]));
  let people = before.people.map((person) =>
    observe(person, person.trackId === null ? null : (byTrack.get(person.trackId) ?? null), frame),
  );
  let { nextId } = before;
  const known = new Set(people.map(({ trackId }) => trackId));
  const someoneIsMissing = people.some(isMissing);
  for (const face of faces) {
    if (!known.has(face.id)) people.push(newcomer(nextId++, face, frame, someoneIsMissing));
  }
  people = people.map((person) =>
    person.doubt === null && person.uncertainFrames < UNCERTAIN_FRAMES && isCrowded(person, people)
      ? { ...person, doubt: { reason: 'overlap', nextLook: frame, looks: 0 } }
      : person,
  );
  const looked = await lookAround({ frame, people, byTrack, look, counts: before.counts });
  return { nextId, ...looked, people: forget(looked.people, frame) };
}

interface Round {
  readonly frame: number;
  readonly people: readonly Person[];
  readonly byTrack: ReadonlyMap<number, TrackedFace>;
  readonly look: EmbedFace;
  readonly counts: IdentityCounts;
}

/** Looks at those in doubt, and adds to the galleries of those who are not. */
async function lookAround(round: Round): Promise<{ people: Person[]; counts: IdentityCounts }> {
  const { frame, byTrack, look } = round;
  let people = [...round.people];
  let { looks, enrolments, corrections, framesWithLooks } = round.counts;
  let hasLooked = false;
  for (const { id } of round.people) {
    const person = people.find((each) => each.id === id);
    const face = person?.trackId == null ? undefined : byTrack.get(person.trackId);
    if (person === undefined || face === undefined) continue;
    const isDoubtful = person.doubt !== null && person.doubt.nextLook <= frame;
    if (!(isDoubtful || wantsEnrolment(person, frame)) || !isLookable(face, person, people)) continue;
    const embedding = await look(face);
    if (embedding === null) {
      if (isDoubtful) people = withoutLooking(people, person, frame);
      continue;
    }
    hasLooked = true;
    if (!isDoubtful) {
      enrolments++;
      people = replace(people, enrol(person, embedding, frame));
      continue;
    }
    looks++;
    const settled = settle(people, person, embedding, frame);
    corrections += settled.isCorrected ? 1 : 0;
    people = settled.people;
  }
  framesWithLooks += hasLooked ? 1 : 0;
  return { people, counts: { looks, enrolments, corrections, framesWithLooks } };
}

function wantsEnrolment(person: Person, frame: number): boolean {
  return (
    person.doubt === null &&
    isStable(person) &&
    person.gallery.length < GALLERY &&
    (person.gallery.length === 0 || frame - person.enrolledFrame >= FRAMES_BETWEEN_ENROLMENTS)
  );
}

function isLookable(face: TrackedFace, person: Person, people: readonly Person[]): boolean {
  return face.isSeen && face.score >= LOOKABLE && !isCrowded(person, people);
}

function enrol(person: Person, embedding: Float32Array, frame: number): Person {
  return { ...person, gallery: [...person.gallery, embedding], enrolledFrame: frame };
}

/** What a look at a doubtful face says: the same person, another one, or not yet anything. */
function settle(
  people: readonly Person[],
  person: Person,
  embedding: Float32Array,
  frame: number,
): { people: Person[]; isCorrected: boolean } {
  const match = nearest(embedding, people);
  if (match === person.id) return { people: replace(people, { ...person, doubt: null }), isCorrected: false };
  const other = people.find(({ id }) => id === match);
  if (other !== undefined) return { people: handOver(people, person, other, frame), isCorrected: true };
  // Nobody known: a newcomer is one indeed, whoever was known before gets another look.
  const { doubt } = person;
  const looks = (doubt?.looks ?? 0) + 1;
  const isSettled = doubt === null || looks >= LOOKS;
  const next: Person = {
    ...person,
    doubt: isSettled ? null : { ...doubt, looks, nextLook: frame + FRAMES_BETWEEN_LOOKS },
  };
  return { people: replace(people, next), isCorrected: false };
}

/** Gives `from`'s track to `to`, whose face it shows. `from` gets the track that `to` had, in doubt, if any. */
function handOver(people: readonly Person[], from: Person, to: Person, frame: number): Person[] {
  const found: Person = {
    ...to,
    ...sightOf(from),
    confidentFrames: Math.max(to.confidentFrames, from.confidentFrames),
    doubt: null,
  };
  // A newcomer who is somebody known was never a person of their own.
  if (isMissing(to) && from.gallery.length === 0)
    return replace(people, found).filter(({ id }) => id !== from.id);
  const other: Person = isMissing(to)
    ? { ...from, trackId: null, doubt: null }
    : { ...from, ...sightOf(to), doubt: { reason: 'overlap', nextLook: frame, looks: 0 } };
  return replace(replace(people, found), other);
}

/** What a person's track says of them. */
function sightOf({
  trackId,
  box,
  seenFrame,
  uncertainFrames,
  presence,
  x,
  height,
}: Person): Pick<Person, 'trackId' | 'box' | 'seenFrame' | 'uncertainFrames' | 'presence' | 'x' | 'height'> {
  return { trackId, box, seenFrame, uncertainFrames, presence, x, height };
}

/** Without an embedding: a newcomer near the place where somebody of their size was lost is that person. */
function withoutLooking(people: readonly Person[], person: Person, frame: number): Person[] {
  const settled = { ...person, doubt: null };
  if (person.doubt?.reason !== 'new') return replace(people, settled);
  const lost = people
    .filter((each) => each.id !== person.id && isMissing(each) && frame - each.seenFrame <= FOUND_FRAMES)
    .map((each) => ({ each, distance: distanceInWidths(each, person) }))
    .filter(({ each, distance }) => distance <= FOUND_WITHIN && areOfOneSize(each, person))
    .sort((a, b) => a.distance - b.distance)[0];
  return lost === undefined ? replace(people, settled) : handOver(people, person, lost.each, frame);
}

function distanceInWidths(a: Person, b: Person): number {
  return Math.hypot(a.box.x - b.box.x, a.box.y - b.box.y) / Math.max(a.box.width, b.box.width);
}

function areOfOneSize(a: Person, b: Person): boolean {
  return Math.max(a.box.height, b.box.height) <= FOUND_RATIO * Math.min(a.box.height, b.box.height);
}

function replace(people: readonly Person[], person: Person): Person[] {
  return people.map((each) => (each.id === person.id ? person : each));
}

/** The list does not grow without end: false detections and those who left long ago are dropped. */
function forget(people: readonly Person[], frame: number): Person[] {
  const remembered = people.filter(
    (person) => frame - person.seenFrame <= (isStable(person) ? REMEMBERED_FRAMES : UNSTABLE_FRAMES),
  );
  if (remembered.length <= PEOPLE) return remembered;
  const missing = remembered.filter(isMissing).sort((a, b) => a.seenFrame - b.seenFrame);
  const dropped = new Set(missing.slice(0, remembered.length - PEOPLE).map(({ id }) => id));
  return remembered.filter(({ id }) => !dropped.has(id));
}

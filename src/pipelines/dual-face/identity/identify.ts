import type { TrackedFace } from '../tracking/byte-tracker.ts';
import {
  isMissing,
  isStable,
  leaveShot,
  newPerson,
  STABLE_FRAMES,
  overlapsAnother,
  UNCERTAIN_FRAMES,
  updatePerson,
  type Person,
} from './person.ts';
import { compareFaces, type ComputeEmbedding, type IdentityCounts } from './re-identification.ts';

/** All people who are known by now. Plain data that is stored in the checkpoint. */
export interface IdentityState {
  readonly nextId: number;
  readonly people: readonly Person[];
  /** Number of the first frame of the shot. */
  readonly shotFrame: number;
  readonly counts: IdentityCounts;
}

export const FIRST_IDENTITIES: IdentityState = {
  nextId: 1,
  people: [],
  shotFrame: 1,
  counts: { comparisons: 0, enrolments: 0, corrections: 0, framesWithEmbeddings: 0 },
};

/** Maximum number of people that are remembered. */
const MAX_PEOPLE = 8;
/**
 * Frames after which a missing person is forgotten if their face is unknown, once they were stable and before. A person
 * whose face is known is remembered for the whole video, unless there are too many.
 */
const FORGET_STABLE_FRAMES = 1800;
const FORGET_UNSTABLE_FRAMES = 30;
/** A shot has begun this many frames ago or less: its people are shown at once, and their panes may still change. */
const SETTLING_FRAMES = 5;

/** The tracks of an analysed frame. */
export interface TrackedFrame {
  /** Number of the frame, from 1. */
  readonly frame: number;
  readonly faces: readonly TrackedFace[];
  /** Whether the frame is the first one of the video or after a cut, so that no track continues an earlier one. */
  readonly isNewShot: boolean;
}

/** Whether the shot has just begun. @param frame number of the current frame */
export function isSettling({ shotFrame }: Pick<IdentityState, 'shotFrame'>, frame: number): boolean {
  return frame - shotFrame < SETTLING_FRAMES;
}

/**
 * Assigns the tracks of a frame to people, who outlive their tracks. Faces are compared with the galleries only when
 * the identity of a track is in question; without embeddings, missing people are found again by position and size. At a
 * cut everybody loses their track, and the people of the new shot are stable at once, because waiting would show its
 * first frames wrongly.
 */
export async function identify(
  before: IdentityState,
  { frame, faces, isNewShot }: TrackedFrame,
  computeEmbedding: ComputeEmbedding,
): Promise<IdentityState> {
  const shotFrame = isNewShot ? frame : before.shotFrame;
  const byTrack = new Map(faces.map((face) => [face.id, face]));
  const updated = before.people.map((person) =>
    isNewShot
      ? leaveShot(person)
      : updatePerson(person, person.trackId === null ? null : (byTrack.get(person.trackId) ?? null), frame),
  );
  const knownTracks = new Set(updated.map(({ trackId }) => trackId));
  const newFaces = faces.filter(({ id }) => !knownTracks.has(id));
  const mayBeKnown = updated.some(isMissing);
  const added = newFaces.map((face, i) => {
    const person = newPerson(before.nextId + i, face, frame, mayBeKnown);
    const isCertain = isSettling({ shotFrame }, frame) && person.confidentFrames > 0;
    return isCertain ? { ...person, confidentFrames: STABLE_FRAMES } : person;
  });
  const people = withOverlapChecks([...updated, ...added], frame);
  const compared = await compareFaces({ frame, people, byTrack, computeEmbedding, counts: before.counts });
  return {
    nextId: before.nextId + added.length,
    people: forgetOldest(compared.people, frame),
    shotFrame,
    counts: compared.counts,
  };
}

/** Schedules a check for every person whose face overlaps another one, because the tracker may confuse the two. */
function withOverlapChecks(people: readonly Person[], frame: number): Person[] {
  return people.map((person) =>
    person.check === null && person.uncertainFrames < UNCERTAIN_FRAMES && overlapsAnother(person, people)
      ? { ...person, check: { reason: 'overlap', dueFrame: frame, comparisons: 0 } }
      : person,
  );
}

/** Drops false detections and people who left long ago, so that the list stays short. */
function forgetOldest(people: readonly Person[], frame: number): Person[] {
  const remembered = people.filter(
    (person) =>
      person.gallery.length > 0 ||
      frame - person.seenFrame <= (isStable(person) ? FORGET_STABLE_FRAMES : FORGET_UNSTABLE_FRAMES),
  );
  if (remembered.length <= MAX_PEOPLE) return remembered;
  const missing = remembered.filter(isMissing).sort((a, b) => a.seenFrame - b.seenFrame);
  const dropped = new Set(missing.slice(0, remembered.length - MAX_PEOPLE).map(({ id }) => id));
  return remembered.filter(({ id }) => !dropped.has(id));
}

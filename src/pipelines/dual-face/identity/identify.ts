import type { TrackedFace } from '../tracking/byte-tracker.ts';
import {
  isMissing,
  isStable,
  newPerson,
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
  readonly counts: IdentityCounts;
}

export const FIRST_IDENTITIES: IdentityState = {
  nextId: 1,
  people: [],
  counts: { comparisons: 0, enrolments: 0, corrections: 0, framesWithEmbeddings: 0 },
};

/** Maximum number of people that are remembered. */
const MAX_PEOPLE = 8;
/** Frames after which a missing person is forgotten, once they were stable and before. */
const FORGET_STABLE_FRAMES = 1800;
const FORGET_UNSTABLE_FRAMES = 30;

/**
 * Assigns the tracks of a frame to people, who outlive their tracks. Faces are compared with the galleries only when
 * the identity of a track is in question; without embeddings, missing people are found again by position and size.
 *
 * @param faces from the tracker, for the next analysed frame
 * @param frame number of that frame, from 1
 */
export async function identify(
  before: IdentityState,
  faces: readonly TrackedFace[],
  frame: number,
  computeEmbedding: ComputeEmbedding,
): Promise<IdentityState> {
  const byTrack = new Map(faces.map((face) => [face.id, face]));
  const updated = before.people.map((person) =>
    updatePerson(person, person.trackId === null ? null : (byTrack.get(person.trackId) ?? null), frame),
  );
  const knownTracks = new Set(updated.map(({ trackId }) => trackId));
  const newFaces = faces.filter(({ id }) => !knownTracks.has(id));
  const mayBeKnown = updated.some(isMissing);
  const added = newFaces.map((face, i) => newPerson(before.nextId + i, face, frame, mayBeKnown));
  const people = withOverlapChecks([...updated, ...added], frame);
  const compared = await compareFaces({ frame, people, byTrack, computeEmbedding, counts: before.counts });
  return {
    nextId: before.nextId + added.length,
    people: forgetOldest(compared.people, frame),
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
      frame - person.seenFrame <= (isStable(person) ? FORGET_STABLE_FRAMES : FORGET_UNSTABLE_FRAMES),
  );
  if (remembered.length <= MAX_PEOPLE) return remembered;
  const missing = remembered.filter(isMissing).sort((a, b) => a.seenFrame - b.seenFrame);
  const dropped = new Set(missing.slice(0, remembered.length - MAX_PEOPLE).map(({ id }) => id));
  return remembered.filter(({ id }) => !dropped.has(id));
}

import type { TrackedFace } from '../tracking/byte-tracker.ts';
import { enrol, nearestPerson, wantsEnrolment } from './gallery.ts';
import { isMissing, overlapsAnother, type Person } from './person.ts';
import { findByPosition, reassignTrack, replacePerson } from './reassign-track.ts';

/** Totals since the beginning of the video. */
export interface IdentityCounts {
  /** Embeddings that were computed to check an identity. */
  readonly comparisons: number;
  /** Embeddings that were added to a gallery. */
  readonly enrolments: number;
  /** Checks that assigned a track to another person. */
  readonly corrections: number;
  /** Frames for which at least one embedding was computed. */
  readonly framesWithEmbeddings: number;
}

/** Computes the embedding of a face in the current frame; null if that is impossible. */
export type ComputeEmbedding = (face: TrackedFace) => Promise<Float32Array | null>;

export interface Comparison {
  readonly frame: number;
  readonly people: readonly Person[];
  readonly byTrack: ReadonlyMap<number, TrackedFace>;
  readonly computeEmbedding: ComputeEmbedding;
  readonly counts: IdentityCounts;
}

/** A check ends without a match after this many comparisons. */
const MAX_COMPARISONS = 3;
const FRAMES_BETWEEN_COMPARISONS = 5;
/** A newcomer is compared more often, because their pane may still change without harm only shortly after a cut. */
const FRAMES_BETWEEN_COMPARISONS_OF_NEW = 2;
/** Embeddings of faces with a lower detection score are unreliable. */
const MIN_COMPARABLE_SCORE = 0.6;

/** Performs the checks that are due, and adds the faces of reliably tracked people to their galleries. */
export async function compareFaces({
  frame,
  people: before,
  byTrack,
  computeEmbedding,
  counts,
}: Comparison): Promise<{ people: Person[]; counts: IdentityCounts }> {
  let people = [...before];
  let { comparisons, enrolments, corrections } = counts;
  for (const { id } of before) {
    const person = people.find((each) => each.id === id);
    const face = person?.trackId == null ? undefined : byTrack.get(person.trackId);
    if (person === undefined || face === undefined) continue;
    const isDue = person.check !== null && person.check.dueFrame <= frame;
    if (!(isDue || wantsEnrolment(person, frame)) || !isComparable(face, person, people)) continue;
    const embedding = await computeEmbedding(face);
    if (embedding === null) {
      if (isDue) people = findByPosition(people, person, frame);
    } else if (isDue) {
      comparisons++;
      const checked = checkIdentity(people, person, embedding, frame);
      corrections += Number(checked.isCorrected);
      people = checked.people;
    } else {
      enrolments++;
      const known = person.gallery.length > 0 ? null : missingPerson(embedding, people);
      corrections += Number(known !== null);
      people =
        known === null
          ? replacePerson(people, enrol(person, embedding, frame))
          : reassignTrack(people, person, known, frame);
    }
  }
  const embeddings = comparisons - counts.comparisons + enrolments - counts.enrolments;
  const framesWithEmbeddings = counts.framesWithEmbeddings + Number(embeddings > 0);
  return { people, counts: { comparisons, enrolments, corrections, framesWithEmbeddings } };
}

/** The missing person whose face this is; a new person may turn out to be somebody only after the checks have ended. */
function missingPerson(embedding: Float32Array, people: readonly Person[]): Person | null {
  const match = nearestPerson(embedding, people);
  return people.find((each) => each.id === match && isMissing(each)) ?? null;
}

function isComparable(face: TrackedFace, person: Person, people: readonly Person[]): boolean {
  return face.isSeen && face.score >= MIN_COMPARABLE_SCORE && !overlapsAnother(person, people);
}

/** Confirms the person, gives their track to the person whose face it shows, or schedules another comparison. */
function checkIdentity(
  people: readonly Person[],
  person: Person,
  embedding: Float32Array,
  frame: number,
): { people: Person[]; isCorrected: boolean } {
  const match = nearestPerson(embedding, people);
  if (match === person.id)
    return { people: replacePerson(people, { ...person, check: null }), isCorrected: false };
  const other = people.find(({ id }) => id === match);
  if (other !== undefined) return { people: reassignTrack(people, person, other, frame), isCorrected: true };
  const { check } = person;
  const comparisons = (check?.comparisons ?? 0) + 1;
  const isOver = check === null || comparisons >= MAX_COMPARISONS;
  const pause = check?.reason === 'new' ? FRAMES_BETWEEN_COMPARISONS_OF_NEW : FRAMES_BETWEEN_COMPARISONS;
  const next = isOver ? null : { ...check, comparisons, dueFrame: frame + pause };
  return { people: replacePerson(people, { ...person, check: next }), isCorrected: false };
}

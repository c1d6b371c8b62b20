import { distanceOf, SAME_PERSON_DISTANCE } from './face-embedder.ts';
import { isStable, type Person } from './person.ts';

/** Embeddings in a complete gallery. */
const GALLERY_SIZE = 3;
const FRAMES_BETWEEN_ENROLMENTS = 20;
/** A match is ambiguous if the second nearest person is closer than this many times the distance of the nearest. */
const AMBIGUITY_RATIO = 1.15;

/** Whether the person's gallery is incomplete and their identity is certain enough to add the face of this frame. */
export function wantsEnrolment(person: Person, frame: number): boolean {
  return (
    person.check === null &&
    isStable(person) &&
    person.gallery.length < GALLERY_SIZE &&
    (person.gallery.length === 0 || frame - person.enrolledFrame >= FRAMES_BETWEEN_ENROLMENTS)
  );
}

/** The person with an embedding added to the gallery. */
export function enrol(person: Person, embedding: Float32Array, frame: number): Person {
  return { ...person, gallery: [...person.gallery, embedding], enrolledFrame: frame };
}

/**
 * The id of the person whose gallery mean is nearest to an embedding; null if nobody is near enough or the match is
 * ambiguous.
 */
export function nearestPerson(embedding: Float32Array, people: readonly Person[]): number | null {
  const ranked = people
    .filter(({ gallery }) => gallery.length > 0)
    .map(({ id, gallery }) => ({ id, distance: distanceOf(embedding, meanOf(gallery)) }))
    .sort((a, b) => a.distance - b.distance);
  const [first, second] = ranked;
  if (first === undefined || first.distance > SAME_PERSON_DISTANCE) return null;
  if (second !== undefined && second.distance < first.distance * AMBIGUITY_RATIO) return null;
  return first.id;
}

/** The mean of a gallery, scaled to length 1 like the embeddings. */
function meanOf(gallery: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(gallery[0]?.length ?? 0);
  for (const each of gallery) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (each[i] ?? 0);
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length);
}

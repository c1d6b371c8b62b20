import { distanceOf, SAME_PERSON_DISTANCE } from './face-embedder.ts';
import type { Person } from './person.ts';

/** Nobody else may be as near as this times the nearest. */
const CLEARLY = 1.15;

/**
 * The id of the person whose gallery an embedding belongs to, by the distance from the gallery's mean; null where it is
 * nobody's, or might be two people's.
 */
export function nearest(embedding: Float32Array, people: readonly Person[]): number | null {
  const ranked = people
    .filter(({ gallery }) => gallery.length > 0)
    .map(({ id, gallery }) => ({ id, apart: distanceOf(embedding, meanOf(gallery)) }))
    .sort((a, b) => a.apart - b.apart);
  const [first, second] = ranked;
  if (first === undefined || first.apart > SAME_PERSON_DISTANCE) return null;
  if (second !== undefined && second.apart < first.apart * CLEARLY) return null;
  return first.id;
}

/** Of length 1, as the embeddings are. */
function meanOf(gallery: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(gallery[0]?.length ?? 0);
  for (const each of gallery) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (each[i] ?? 0);
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length);
}

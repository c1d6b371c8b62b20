import type { Person } from './person.ts';

/** Euclidean distance of two embeddings; unit vectors are 0 to 2 apart. */
export function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** Faces that are further apart are not the same person's. */
export const SAME_PERSON = 0.6;
/** Nobody else may be as near as this times the nearest. */
const CLEARLY = 1.15;

/** The id of the person whose gallery an embedding belongs to; null where it is nobody's, or might be two people's. */
export function nearest(embedding: Float32Array, people: readonly Person[]): number | null {
  const ranked = people
    .filter(({ gallery }) => gallery.length > 0)
    .map(({ id, gallery }) => ({
      id,
      apart: Math.min(...gallery.map((each) => distance(embedding, each))),
    }))
    .sort((a, b) => a.apart - b.apart);
  const [first, second] = ranked;
  if (first === undefined || first.apart > SAME_PERSON) return null;
  if (second !== undefined && second.apart < first.apart * CLEARLY) return null;
  return first.id;
}

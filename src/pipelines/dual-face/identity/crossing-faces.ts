import { MEASURED_FRAMES, offsetFrom, pathThrough, type Path } from './crossing-path.ts';
import type { Crossing } from './crossings.ts';
import { distanceOf } from './face-embedder.ts';
import type { Person } from './person.ts';
import type { Sighting, Tracklet } from './tracklet.ts';

/** A person in one shot, while sightings change hands. */
export interface Walker {
  readonly person: Person;
  readonly shot: number;
  /** Those of the shot. */
  readonly tracklets: readonly Tracklet[];
  /** Sorted numbers of the frames in which the person was seen before anything changed hands. */
  readonly frames: readonly number[];
  readonly sightings: Map<number, Sighting>;
}

/** A face that is seen in a crossing. */
export interface CrossingFace {
  readonly owner: Walker;
  readonly sighting: Sighting;
  /** Distances from the paths of the two people, in widths of the face. */
  readonly offsets: readonly number[];
}

/** An embedding tells two people apart if its distance from one is smaller by this than that from the other. */
const CLEAR_DISTANCE = 0.08;

/**
 * The paths of two people through a crossing, and the faces that are seen in it. The paths go through the sightings before
 * and after, and through those in the crossing whose embeddings say clearly whose face it is.
 *
 * @param strays who may be a piece of one of the two
 */
export function facesOf(
  { from, to }: Crossing,
  both: readonly Walker[],
  strays: readonly Walker[],
): { paths: readonly Path[]; faces: readonly CrossingFace[] } {
  const found = [...both, ...strays].flatMap((owner) =>
    sightingsIn(owner, from, to).map((sighting) => ({ owner, sighting })),
  );
  const claims = claimsOf(both, found);
  const paths = both.map((walker, row) => {
    const own = found.map(({ sighting }) => sighting).filter((each) => claims.get(each) === row);
    const certain = own.filter(({ frame }) => own.filter((each) => each.frame === frame).length === 1);
    const around = [
      ...sightingsIn(walker, from - MEASURED_FRAMES, from - 1),
      ...sightingsIn(walker, to + 1, to + MEASURED_FRAMES),
    ];
    return pathThrough([...around, ...certain].sort((a, b) => a.frame - b.frame));
  });
  const faces = found.map((face) => ({
    ...face,
    offsets: paths.map((path) => offsetFrom(path, face.sighting)),
  }));
  return { paths, faces };
}

function sightingsIn({ sightings }: Walker, from: number, to: number): Sighting[] {
  const found: Sighting[] = [];
  for (let frame = from; frame <= to; frame++) {
    const sighting = sightings.get(frame);
    if (sighting !== undefined) found.push(sighting);
  }
  return found;
}

/** The sightings whose embeddings show clearly which of the two people it is: 0 or 1. */
function claimsOf(
  both: readonly Walker[],
  found: readonly { readonly owner: Walker; readonly sighting: Sighting }[],
): Map<Sighting, number> {
  const claims = new Map<Sighting, number>();
  const means = both.map(({ person }) => meanOf(person.tracklets));
  for (const owner of new Set(found.map((face) => face.owner))) {
    for (const tracklet of owner.tracklets) {
      const mean = meanOf([tracklet]);
      const [a = Infinity, b = Infinity] = means.map((each) =>
        mean === null || each === null ? Infinity : distanceOf(mean, each),
      );
      if (!(Math.abs(a - b) >= CLEAR_DISTANCE)) continue;
      const [first = Infinity, last = -Infinity] = [tracklet.embeddedAt[0], tracklet.embeddedAt.at(-1)];
      for (const sighting of tracklet.sightings)
        if (sighting.frame >= first && sighting.frame <= last) claims.set(sighting, a < b ? 0 : 1);
    }
  }
  return claims;
}

/** The mean of all embeddings, scaled to length 1; null if there are none. */
function meanOf(tracklets: readonly Tracklet[]): Float32Array | null {
  const embeddings = tracklets.flatMap((each) => each.embeddings);
  const [first] = embeddings;
  if (first === undefined) return null;
  const sum = new Float32Array(first.length);
  for (const each of embeddings) for (const [i, value] of each.entries()) sum[i] = (sum[i] ?? 0) + value;
  const length = Math.hypot(...sum);
  return sum.map((value) => value / length);
}

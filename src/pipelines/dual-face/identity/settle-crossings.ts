import { assignPairs } from '../tracking/linear-assignment.ts';
import { facesOf, type CrossingFace, type Walker } from './crossing-faces.ts';
import type { Path } from './crossing-path.ts';
import { crossingsOf, type Crossing } from './crossings.ts';
import type { Person } from './person.ts';
import type { Sighting, Tracklet } from './tracklet.ts';

/** People with fewer sightings in the video may be pieces of somebody else’s track. */
const MIN_SIGHTINGS = 4;
/** A face may be this far from the path of its person, in widths of the face. */
const MAX_OFFSET = 1.5;
/** A face stays with its person unless it is nearer to the other path by this many widths. */
const LOYALTY = 0.3;
/** Of two people who are nearer to each other than this, in widths of the face, only the one in front is seen. */
const HIDING_WIDTHS = 0.6;

/**
 * Decides again who is who while two people cross. The tracker looks back only, and hidden faces cannot be compared. But
 * both people are known before and after the crossing, and so are their paths through it: each face belongs to the person
 * on whose path it lies.
 */
export function settleCrossings(people: readonly Person[]): Person[] {
  const byShot = walkersByShot(people);
  for (const inShot of byShot.values()) {
    const strays = inShot.filter(({ person }) => isStray(person));
    const known = inShot.filter(({ person }) => !isStray(person));
    for (const [i, one] of known.entries())
      for (const other of known.slice(i + 1))
        for (const crossing of crossingsOf(one, other)) settle(crossing, [one, other], strays);
  }
  const after = new Map(people.map((person): [Person, Tracklet[]] => [person, []]));
  for (const walker of [...byShot.values()].flat())
    for (const tracklet of trackletsAfter(walker)) after.get(walker.person)?.push(tracklet);
  return people
    .map((person) => ({ ...person, tracklets: after.get(person) ?? [] }))
    .filter(({ tracklets }) => tracklets.length > 0);
}

function isStray({ tracklets }: Person): boolean {
  return tracklets.reduce((sum, { sightings }) => sum + sightings.length, 0) < MIN_SIGHTINGS;
}

function walkersByShot(people: readonly Person[]): Map<number, Walker[]> {
  const byShot = new Map<number, Walker[]>();
  for (const person of people) {
    const own = new Map<number, Tracklet[]>();
    for (const tracklet of person.tracklets) {
      const inShot = own.get(tracklet.shot) ?? [];
      own.set(tracklet.shot, inShot);
      inShot.push(tracklet);
    }
    for (const [shot, tracklets] of own) {
      const seen = tracklets.flatMap(({ sightings }) => sightings);
      const frames = seen.map(({ frame }) => frame).sort((a, b) => a - b);
      const inShot = byShot.get(shot) ?? [];
      byShot.set(shot, inShot);
      const sightings = new Map(seen.map((each) => [each.frame, each]));
      inShot.push({ person, shot, tracklets, frames, sightings });
    }
  }
  return byShot;
}

/** Gives the faces of a crossing to the two people, by their paths. */
function settle(crossing: Crossing, both: readonly Walker[], strays: readonly Walker[]): void {
  const { paths, faces } = facesOf(crossing, both, strays);
  const front = frontOf(faces, paths);
  for (let frame = crossing.from; frame <= crossing.to; frame++) {
    const found = faces.filter(({ sighting }) => sighting.frame === frame);
    const isHiding = front !== null && found.length === 1 && areClose(paths, found[0]?.sighting);
    const value = (row: number, column: number): number => {
      const face = found[column];
      const offset = face?.offsets[row] ?? Infinity;
      if (offset > MAX_OFFSET) return 0;
      const isPreferred = isHiding ? row === front : face?.owner === both[row];
      return 1 + MAX_OFFSET - offset + (isPreferred ? LOYALTY : 0);
    };
    const pairs = assignPairs(both.length, found.length, value, 1);
    for (const { column } of pairs) found[column]?.owner.sightings.delete(frame);
    for (const { row, column } of pairs) {
      const face = found[column];
      if (face !== undefined) both[row]?.sightings.set(frame, face.sighting);
    }
  }
}

/** Which of the two hides the other: whose path is nearer to the faces that are seen alone; null if there are none. */
function frontOf(faces: readonly CrossingFace[], paths: readonly Path[]): number | null {
  const alone = faces.filter(
    ({ sighting }) =>
      areClose(paths, sighting) &&
      faces.every((each) => each.sighting === sighting || each.sighting.frame !== sighting.frame),
  );
  const totals = paths.map((_, row) => alone.reduce((sum, { offsets }) => sum + (offsets[row] ?? 0), 0));
  return alone.length === 0 ? null : totals.indexOf(Math.min(...totals));
}

/** Whether the paths are so near to each other in the frame of a face that one person hides the other. */
function areClose(paths: readonly Path[], sighting: Sighting | undefined): boolean {
  if (sighting === undefined) return false;
  const [a, b] = paths.map((path) => path(sighting.frame));
  if (a === undefined || a === null || b === undefined || b === null) return false;
  return Math.hypot(a.x - b.x, a.y - b.y) < HIDING_WIDTHS * sighting.box.width;
}

/** The tracklets of a person in a shot with the sightings that are left, and one more with those that came. */
function trackletsAfter({ shot, tracklets, sightings }: Walker): Tracklet[] {
  const now = new Set(sightings.values());
  const left = tracklets.map((each) => ({
    ...each,
    sightings: each.sightings.filter((one) => now.delete(one)),
  }));
  const came = [...now].sort((a, b) => a.frame - b.frame);
  return [...left, { id: 0, shot, sightings: came, embeddings: [], embeddedAt: [] }].filter(
    (each) => each.sightings.length > 0,
  );
}

import type { Box } from '../tracking/box.ts';
import type { Sighting } from './tracklet.ts';

/** Where the centre of a face is in a frame; null: not known. */
export type Path = (frame: number) => Place | null;

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Place and speed are measured by at most so many sightings, in so many frames. */
const MEASURED = 6;
export const MEASURED_FRAMES = 15;
/** Over a longer time without a sighting, nothing is known of the path. */
const MAX_GAP = 90;

/** The place of a face in a frame, and its movement per frame. */
interface Motion extends Place {
  readonly frame: number;
  readonly speedX: number;
  readonly speedY: number;
}

/**
 * The path of a face through its sightings: between two of them, a cubic Hermite spline with the places and speeds before
 * and after.
 *
 * @param sightings sorted by their frames
 */
export function pathThrough(sightings: readonly Sighting[]): Path {
  return (frame) => {
    const next = sightings.findIndex((each) => each.frame >= frame);
    if (next === -1) return null;
    const after = motionOf(sightings.slice(next, next + MEASURED), 'first');
    if (after?.frame === frame) return after;
    const before = motionOf(sightings.slice(Math.max(0, next - MEASURED), next), 'last');
    if (before === null || after === null || after.frame - before.frame > MAX_GAP) return null;
    const frames = after.frame - before.frame;
    const share = (frame - before.frame) / frames;
    return {
      x: hermite(share, before.x, before.speedX * frames, after.x, after.speedX * frames),
      y: hermite(share, before.y, before.speedY * frames, after.y, after.speedY * frames),
    };
  };
}

/** Distance of a face from a path in widths of the face; infinite if the path is not known there. */
export function offsetFrom(path: Path, { frame, box }: Sighting): number {
  const [wanted, center] = [path(frame), centerOf(box)];
  return wanted === null ? Infinity : Math.hypot(center.x - wanted.x, center.y - wanted.y) / box.width;
}

/** The line of least squares through the centres, at the first or the last of them; null without any. */
function motionOf(sightings: readonly Sighting[], end: 'first' | 'last'): Motion | null {
  const at = sightings.at(end === 'first' ? 0 : -1);
  if (at === undefined) return null;
  const points = sightings
    .filter(({ frame }) => Math.abs(frame - at.frame) <= MEASURED_FRAMES)
    .map(({ frame, box }) => ({ time: frame - at.frame, ...centerOf(box) }));
  const mean = (of: (point: (typeof points)[number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [time, x, y] = [mean((each) => each.time), mean((each) => each.x), mean((each) => each.y)];
  const spread = mean((each) => (each.time - time) ** 2);
  const speed = (axis: 'x' | 'y', middle: number): number =>
    spread === 0 ? 0 : mean((each) => (each.time - time) * (each[axis] - middle)) / spread;
  const [speedX, speedY] = [speed('x', x), speed('y', y)];
  return { frame: at.frame, x: x - speedX * time, y: y - speedY * time, speedX, speedY };
}

function centerOf(box: Box): Place {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

function hermite(t: number, from: number, speedFrom: number, to: number, speedTo: number): number {
  const [square, cube] = [t * t, t * t * t];
  return (
    (2 * cube - 3 * square + 1) * from +
    (cube - 2 * square + t) * speedFrom +
    (3 * square - 2 * cube) * to +
    (cube - square) * speedTo
  );
}

import type { Sighting } from '../identity/tracklet.ts';
import type { Box } from '../tracking/box.ts';

/** Frames before the last sighting from which the speed is measured. */
const SPEED_FRAMES = 10;
/** A person who leaves is last seen this near to a side of the image, and moves by at least this much in those frames, in widths of the face. */
const NEAR = 0.5;
const MOVED = 0.3;

/**
 * Where the face of somebody who walks out of the image is after the last sighting, until its centre is outside; null if
 * the person did not leave through a side of the image, and may have turned away.
 *
 * @param run sightings without a gap
 * @param width of the image in pixels
 */
export function boxesOfLeaving(run: readonly Sighting[], width: number): Box[] | null {
  const last = run.at(-1);
  const before = run.find(({ frame }) => last !== undefined && last.frame - frame <= SPEED_FRAMES);
  if (last === undefined || before === undefined || before.frame === last.frame) return null;
  const { box } = last;
  const moved = centerOf(box) - centerOf(before.box);
  const side = moved > 0 ? width : 0;
  const distance = Math.abs(side - (moved > 0 ? box.x + box.width : box.x));
  const isOut = moved > 0 ? centerOf(box) >= width : centerOf(box) <= 0;
  if (Math.abs(moved) < MOVED * box.width || (!isOut && distance > NEAR * box.width)) return null;
  const speed = moved / (last.frame - before.frame);
  const frames = isOut ? 0 : Math.ceil(Math.abs((side - centerOf(box)) / speed));
  return Array.from({ length: frames }, (_, i) => ({ ...box, x: box.x + (i + 1) * speed }));
}

function centerOf({ x, width }: Box): number {
  return x + width / 2;
}

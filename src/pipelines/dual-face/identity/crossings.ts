import { iou, type Box } from '../tracking/box.ts';
import type { Sighting } from './tracklet.ts';

/** Consecutive frames in which two people cross: from `from` to `to`, both included. */
export interface Crossing {
  readonly from: number;
  readonly to: number;
}

/** Faces that overlap by more than this (IoU) may be confused by the tracker. */
const CONFUSING_OVERLAP = 0.1;
/** Frames between two sightings over which a face is assumed to move evenly. */
const MAX_GAP = 60;
/** Overlaps that are at most this many frames apart are one crossing, and so many frames around it belong to it. */
const NEAR = 5;
/** Longer overlaps are no crossings: two people sit close together. */
const MAX_FRAMES = 60;

/** The frames of a shot in which two people are seen, sorted, with their sightings. */
interface Seen {
  readonly frames: readonly number[];
  readonly sightings: ReadonlyMap<number, Sighting>;
}

/** When two people cross in a shot. */
export function crossingsOf(one: Seen, other: Seen): Crossing[] {
  const overlaps = overlappingFrames(one, other);
  const crossings: Crossing[] = [];
  for (const frame of overlaps) {
    const last = crossings.at(-1);
    if (last !== undefined && frame - last.to <= 2 * NEAR)
      crossings[crossings.length - 1] = { ...last, to: frame };
    else crossings.push({ from: frame, to: frame });
  }
  return crossings
    .filter(({ from, to }) => to - from < MAX_FRAMES)
    .map(({ from, to }) => ({ from: from - NEAR, to: to + NEAR }));
}

function overlappingFrames(one: Seen, other: Seen): number[] {
  const from = Math.max(one.frames[0] ?? Infinity, other.frames[0] ?? Infinity);
  const to = Math.min(one.frames.at(-1) ?? -1, other.frames.at(-1) ?? -1);
  if (from > to) return [];
  const [boxes, others] = [one, other].map((each) => boxesBetween(each, from, to));
  const found: number[] = [];
  for (let frame = from; frame <= to; frame++) {
    const [a, b] = [boxes?.[frame - from] ?? null, others?.[frame - from] ?? null];
    if (a !== null && b !== null && iou(a, b) > CONFUSING_OVERLAP) found.push(frame);
  }
  return found;
}

/** The boxes of the frames from `from` to `to`, interpolated between sightings; null: the face is away. */
function boxesBetween({ frames, sightings }: Seen, from: number, to: number): (Box | null)[] {
  const boxes = new Array<Box | null>(to - from + 1).fill(null);
  for (const [i, frame] of frames.entries()) {
    const before = sightings.get(frames[i - 1] ?? -1)?.box;
    const box = sightings.get(frame)?.box;
    if (box === undefined) continue;
    const gap = before === undefined ? 1 : frame - (frames[i - 1] ?? frame);
    const start = gap <= MAX_GAP ? frame - gap + 1 : frame;
    for (let at = Math.max(from, start); at <= Math.min(to, frame); at++)
      boxes[at - from] = between(before ?? box, box, (at - frame + gap) / gap);
  }
  return boxes;
}

function between(a: Box, b: Box, share: number): Box {
  const at = (key: keyof Box): number => a[key] + share * (b[key] - a[key]);
  return { x: at('x'), y: at('y'), width: at('width'), height: at('height') };
}

import type { Person } from '../identity/person.ts';
import type { Shot, Sighting } from '../identity/tracklet.ts';
import type { Box } from '../tracking/box.ts';
import { median, withMedianBoxes } from './median-boxes.ts';

/** Where a person is in each frame of a shot; index 0 is the first frame of the shot. */
export interface Presence {
  readonly personId: number;
  /** null: the person is not there. */
  readonly boxes: readonly (Box | null)[];
  /** Whether the face was seen in the frame, or between two frames with detection; otherwise its box is assumed. */
  readonly isSeen: readonly boolean[];
  /** Median height of the face in pixels. */
  readonly height: number;
}

/** A person who is back after at most this long, within this many heights of the face, was there all the time. */
export const BRIDGE_SECONDS = 2.5;
const BRIDGE_HEIGHTS = 2;
/** A person who is gone for longer keeps the pane for this long. */
export const HOLD_SECONDS = 0.5;
/** A person who is first or last seen this near to a cut is there right up to the cut: detectors need some frames. */
const EDGE_SECONDS = 0.4;
/** Shorter appearances are taken for mistakes of the detector, unless they fill this share of their shot. */
const MIN_SECONDS = 0.4;
const MIN_SHARE = 0.6;
/** Minimum score of a sighting that counts towards that time. */
const CONFIDENT = 0.6;

/**
 * The presence of a person in a shot; null if they are not in it for long enough.
 *
 * @param detectEvery every n-th frame has been searched for faces
 */
export function presenceIn(
  { from, to }: Shot,
  { id, tracklets }: Person,
  framesPerSecond: number,
  detectEvery: number,
): Presence | null {
  const frames = to - from;
  const sightings = tracklets
    .flatMap((tracklet) => tracklet.sightings.filter(({ frame }) => frame >= from && frame < to))
    .map((sighting) => ({ ...sighting, frame: sighting.frame - from }))
    .sort((a, b) => a.frame - b.frame);
  const minFrames = Math.min(MIN_SECONDS * framesPerSecond, MIN_SHARE * frames);
  const boxes = new Array<Box | null>(frames).fill(null);
  const isSeen = new Array<boolean>(frames).fill(false);
  const heights: number[] = [];
  for (const run of runsOf(sightings, BRIDGE_SECONDS * framesPerSecond)) {
    const confident = run.filter(({ score }) => score >= CONFIDENT).length * detectEvery;
    if (confident < minFrames) continue;
    const smoothed = withMedianBoxes(run);
    heights.push(...smoothed.map(({ box }) => box.height));
    fillBoxes(smoothed, detectEvery, boxes, isSeen);
    extendToCuts(smoothed, boxes, EDGE_SECONDS * framesPerSecond);
  }
  if (heights.length === 0) return null;
  holdAfterwards(boxes, Math.round(HOLD_SECONDS * framesPerSecond));
  return { personId: id, boxes, isSeen, height: median(heights) };
}

/** Sightings without a gap that is longer, or wider, than those which are bridged. */
function runsOf(sightings: readonly Sighting[], maxGap: number): Sighting[][] {
  const runs: Sighting[][] = [];
  let last: Sighting | null = null;
  for (const sighting of sightings) {
    if (last === null || sighting.frame - last.frame > maxGap || !isNear(last, sighting)) runs.push([]);
    runs.at(-1)?.push(sighting);
    last = sighting;
  }
  return runs;
}

function isNear({ box: a, frame: before }: Sighting, { box: b, frame }: Sighting): boolean {
  if (frame - before <= 1) return true;
  const distance = Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
  return distance <= BRIDGE_HEIGHTS * Math.max(a.height, b.height);
}

/** Writes the boxes of all frames from the first to the last sighting, interpolated between sightings. */
function fillBoxes(
  run: readonly Sighting[],
  detectEvery: number,
  boxes: (Box | null)[],
  isSeen: boolean[],
): void {
  for (const [i, { frame, box }] of run.entries()) {
    const before = run[i - 1] ?? { frame: frame - 1, box };
    const frames = frame - before.frame;
    for (let step = 1; step <= frames; step++) {
      boxes[before.frame + step] = blend(before.box, box, step / frames);
      isSeen[before.frame + step] = step === frames || frames <= detectEvery;
    }
  }
}

function blend(a: Box, b: Box, share: number): Box {
  const between = (key: keyof Box): number => a[key] + share * (b[key] - a[key]);
  return { x: between('x'), y: between('y'), width: between('width'), height: between('height') };
}

function extendToCuts(run: readonly Sighting[], boxes: (Box | null)[], maxFrames: number): void {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) return;
  const after = boxes.length - 1 - last.frame;
  if (first.frame <= maxFrames) for (let at = 0; at < first.frame; at++) boxes[at] ??= first.box;
  if (after <= maxFrames) for (let at = last.frame + 1; at < boxes.length; at++) boxes[at] ??= last.box;
}

/** Keeps the last box for a while where a person disappears. */
function holdAfterwards(boxes: (Box | null)[], frames: number): void {
  let held = 0;
  for (let at = 1; at < boxes.length; at++) {
    const before = boxes[at - 1] ?? null;
    if (boxes[at] !== null) held = 0;
    else if (before !== null && held++ < frames) boxes[at] = before;
  }
}

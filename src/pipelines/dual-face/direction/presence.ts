import type { Person } from '../identity/person.ts';
import type { Shot, Sighting } from '../identity/tracklet.ts';
import type { Box } from '../tracking/box.ts';
import { boxesOfLeaving } from './leaving.ts';
import { median, withMedianBoxes } from './median-boxes.ts';

/** Where a person is in the frames of a shot; frame 0 is the first frame of the shot. */
export interface Presence {
  readonly personId: number;
  /** The first frame of `boxes` and `isSeen`, which end with the last frame in which the person is there. */
  readonly from: number;
  /** null: the person is not there. */
  readonly boxes: readonly (Box | null)[];
  /** Whether the face was seen in the frame, or between two frames with detection; otherwise its box is assumed. */
  readonly isSeen: readonly boolean[];
  /** How much the mouth moves in each frame; 0 where that is unknown. */
  readonly mouth: readonly number[];
  /** Median height of the face in pixels. */
  readonly height: number;
}

/** A person in a part of the shot; frame 0 is the first frame of the part. null: the person is not there. */
export function presenceInPart(presence: Presence, shot: Shot, part: Shot): Presence | null {
  const from = presence.from - (part.from - shot.from);
  const [start, end] = [Math.max(0, -from), part.to - part.from - from];
  if (end <= 0) return null;
  const boxes = presence.boxes.slice(start, end);
  if (boxes.every((box) => box === null)) return null;
  const [isSeen, mouth] = [presence.isSeen.slice(start, end), presence.mouth.slice(start, end)];
  return { ...presence, from: Math.max(0, from), boxes, isSeen, mouth };
}

/** A person who is back after at most this long, within this many heights of the face, was there all the time. */
export const BRIDGE_SECONDS = 2.5;
const BRIDGE_HEIGHTS = 2;
/** A person who is gone for longer keeps the pane for this long, unless the face was seen on its way out of the image. */
export const HOLD_SECONDS = 0.5;
/** A person who is first or last seen this near to a cut is there right up to the cut: detectors need some frames. */
const EDGE_SECONDS = 0.4;
/** The same for a person who does not move in the nearest sightings, so that they have not just come, or are about to leave. */
const STILL_EDGE_SECONDS = 1;
const STILL_SIGHTINGS = 12;
const STILL_HEIGHTS = 0.3;
/** Shorter appearances are taken for mistakes of the detector, unless they fill this share of their shot. */
const MIN_SECONDS = 0.4;
const MIN_SHARE = 0.6;
/** Minimum score of a sighting that counts towards that time. */
const CONFIDENT = 0.6;

/** Where a person is in a frame of the shot; null: not there. */
export function boxAt({ from, boxes }: Presence, at: number): Box | null {
  return boxes[at - from] ?? null;
}

/** Whether the face was seen in a frame of the shot. */
export function isSeenAt({ from, isSeen }: Presence, at: number): boolean {
  return isSeen[at - from] === true;
}

/**
 * The presence of a person in a shot; null if they are not in it for long enough.
 *
 * @param detectEvery every n-th frame has been searched for faces
 * @param width of the image in pixels
 */
export function presenceIn(
  { from, to }: Shot,
  { id, tracklets }: Person,
  framesPerSecond: number,
  detectEvery: number,
  width: number,
): Presence | null {
  const frames = to - from;
  const sightings = tracklets
    .flatMap((tracklet) => tracklet.sightings.filter(({ frame }) => frame >= from && frame < to))
    .map((sighting) => ({ ...sighting, frame: sighting.frame - from }))
    .sort((a, b) => a.frame - b.frame);
  const minFrames = Math.min(MIN_SECONDS * framesPerSecond, MIN_SHARE * frames);
  const runs = runsOf(sightings, BRIDGE_SECONDS * framesPerSecond)
    .filter((run) => run.filter(({ score }) => score >= CONFIDENT).length * detectEvery >= minFrames)
    .map(withMedianBoxes);
  const [first, last] = [runs[0]?.[0], runs.at(-1)?.at(-1)];
  if (first === undefined || last === undefined) return null;
  // Not the whole shot, because thousands of people may pass by in a long one.
  const edges = {
    start: edgeSeconds(runs[0] ?? []) * framesPerSecond,
    end: edgeSeconds([...(runs.at(-1) ?? [])].reverse()) * framesPerSecond,
  };
  const hold = Math.round(HOLD_SECONDS * framesPerSecond);
  const begin = first.frame <= edges.start ? 0 : first.frame;
  const held = runs.map((run) => heldBoxes(run, width, hold));
  const heldFrames = held.at(-1)?.length ?? 0;
  const end = frames - 1 - last.frame <= edges.end ? frames : Math.min(frames, last.frame + 1 + heldFrames);
  const boxes = new Array<Box | null>(end - begin).fill(null);
  const isSeen = new Array<boolean>(end - begin).fill(false);
  const mouth = new Array<number>(end - begin).fill(0);
  for (const run of runs) {
    fillBoxes(run, detectEvery, begin, { boxes, isSeen, mouth });
    extendToCuts(run, frames, edges, begin, boxes);
  }
  for (const [i, run] of runs.entries()) holdAfterwards(run, held[i] ?? [], begin, boxes);
  const height = median(runs.flat().map(({ box }) => box.height));
  return { personId: id, from: begin, boxes, isSeen, mouth, height };
}

/** How near to a cut the first of these sightings may be to reach up to it. */
function edgeSeconds(run: readonly Sighting[]): number {
  const [first, ...next] = run.slice(0, STILL_SIGHTINGS);
  const isStill =
    first !== undefined &&
    next.length === STILL_SIGHTINGS - 1 &&
    next.every(({ box }) => distanceOf(first.box, box) <= STILL_HEIGHTS * first.box.height);
  return isStill ? STILL_EDGE_SECONDS : EDGE_SECONDS;
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
  return distanceOf(a, b) <= BRIDGE_HEIGHTS * Math.max(a.height, b.height);
}

function distanceOf(a: Box, b: Box): number {
  return Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
}

/** Writes what is known of all frames from the first to the last sighting, with boxes interpolated between sightings. */
function fillBoxes(
  run: readonly Sighting[],
  detectEvery: number,
  begin: number,
  { boxes, isSeen, mouth }: { boxes: (Box | null)[]; isSeen: boolean[]; mouth: number[] },
): void {
  for (const [i, { frame, box, mouth: movement = 0 }] of run.entries()) {
    const before = run[i - 1] ?? { frame: frame - 1, box };
    const frames = frame - before.frame;
    for (let step = 1; step <= frames; step++) {
      boxes[before.frame + step - begin] = blend(before.box, box, step / frames);
      const isSeenHere = step === frames || frames <= detectEvery;
      isSeen[before.frame + step - begin] = isSeenHere;
      mouth[before.frame + step - begin] = isSeenHere ? movement : 0;
    }
  }
}

function blend(a: Box, b: Box, share: number): Box {
  const between = (key: keyof Box): number => a[key] + share * (b[key] - a[key]);
  return { x: between('x'), y: between('y'), width: between('width'), height: between('height') };
}

function extendToCuts(
  run: readonly Sighting[],
  frames: number,
  { start, end }: { readonly start: number; readonly end: number },
  begin: number,
  boxes: (Box | null)[],
): void {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) return;
  if (first.frame <= start) for (let at = 0; at < first.frame; at++) boxes[at - begin] ??= first.box;
  if (frames - 1 - last.frame <= end)
    for (let at = last.frame + 1; at < frames; at++) boxes[at - begin] ??= last.box;
}

/** Where a person is held after a run: for a while in the same place, or on the way out of the image. */
function heldBoxes(run: readonly Sighting[], width: number, frames: number): Box[] {
  const box = run.at(-1)?.box;
  return (
    boxesOfLeaving(run, width)?.slice(0, frames) ??
    (box === undefined ? [] : new Array<Box>(frames).fill(box))
  );
}

function holdAfterwards(
  run: readonly Sighting[],
  held: readonly Box[],
  begin: number,
  boxes: (Box | null)[],
): void {
  const next = (run.at(-1)?.frame ?? 0) + 1 - begin;
  for (const [i, box] of held.entries()) if (next + i < boxes.length) boxes[next + i] ??= box;
}

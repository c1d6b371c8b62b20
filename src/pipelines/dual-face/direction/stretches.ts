import { viewOfFace, type ViewGeometry } from '../camera/view.ts';
import type { Box } from '../tracking/box.ts';
import type { Cast } from './cast.ts';
import { boxAt, isSeenAt, type Presence } from './presence.ts';

/** Why the whole frame is shown, or `panes`. */
export type Mode = 'panes' | 'alone' | 'hidden' | 'nobody';

/** Consecutive frames of a shot that show the same: from `from`, below `to`. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly mode: Mode;
  /** Who is there, of those who would have a pane; while somebody is hidden, everybody who would have one. */
  readonly members: readonly Presence[];
}

/** A shorter stretch is not worth a change: it becomes part of the one before, or after. */
const MIN_SECONDS = 0.5;

/**
 * What each frame of a shot shows: its people if enough of them are there and none hides another.
 *
 * @param fewest number of people that are enough for panes
 */
export function stretchesOf(
  casts: readonly Cast[],
  frames: number,
  geometry: ViewGeometry,
  framesPerSecond: number,
  fewest: number,
): Stretch[] {
  const found: Stretch[] = [];
  for (const [i, { from, members }] of casts.entries()) {
    const to = casts[i + 1]?.from ?? frames;
    const hidden = hiddenFrames(members, geometry, Math.round(MIN_SECONDS * framesPerSecond));
    for (let at = from; at < to; at++) {
      const there = members.filter((each) => boxAt(each, at) !== null);
      const mode = hidden.has(at) ? 'hidden' : modeOf(there.length, fewest);
      const shown = mode === 'hidden' ? members : there;
      const last = found.at(-1);
      if (last?.mode === mode && hasSame(last.members, shown))
        found[found.length - 1] = { ...last, to: at + 1 };
      else found.push({ from: at, to: at + 1, mode, members: shown });
    }
  }
  return withoutShort(found, MIN_SECONDS * framesPerSecond);
}

function modeOf(present: number, fewest: number): Mode {
  if (present >= fewest) return 'panes';
  return present === 1 ? 'alone' : 'nobody';
}

function hasSame(some: readonly Presence[], others: readonly Presence[]): boolean {
  return some.length === others.length && some.every((each) => others.includes(each));
}

/**
 * The frames in which one person stands where the pane of the other, who is not seen, would show somebody; and up to
 * `minFrames` before and after in which the other is not seen, because a body hides a face before the faces meet.
 */
function hiddenFrames(members: readonly Presence[], geometry: ViewGeometry, minFrames: number): Set<number> {
  const frames = new Set<number>();
  const pairs = members.flatMap((hider) =>
    members.filter((other) => other !== hider).map((other) => ({ hider, other })),
  );
  for (const { hider, other } of pairs) {
    // Who is not seen yet at the start of a shot is not hidden by a neighbour.
    let framesInView = minFrames;
    for (const [i, box] of other.boxes.entries()) {
      const at = other.from + i;
      const front = boxAt(hider, at);
      if (box === null || front === null || !isSeenAt(hider, at)) continue;
      const inView = isInView(front, box, geometry);
      if (isSeenAt(other, at)) framesInView = inView ? framesInView + 1 : 0;
      // A neighbour who was in the view anyway hides only somebody whose place they take.
      else if (inView && (framesInView < minFrames || isOver(front, box)))
        for (const each of unseenAround(other, at, minFrames)) frames.add(each);
    }
  }
  closeGaps(frames, minFrames);
  return frames;
}

/** A frame, and the frames next to it without an interruption in which a person who is there is not seen. */
function unseenAround(person: Presence, frame: number, most: number): number[] {
  const found = [frame];
  for (const step of [-1, 1])
    for (let i = 1; i <= most; i++) {
      const at = frame + i * step;
      if (boxAt(person, at) === null || isSeenAt(person, at)) break;
      found.push(at);
    }
  return found;
}

function isInView(face: Box, shown: Box, geometry: ViewGeometry): boolean {
  const { centerX, centerY, height } = viewOfFace(shown, geometry);
  return (
    Math.abs(face.x + face.width / 2 - centerX) < (height * geometry.aspect) / 2 &&
    Math.abs(face.y + face.height / 2 - centerY) < height / 2
  );
}

function isOver(face: Box, other: Box): boolean {
  return (
    Math.abs(face.x + face.width / 2 - other.x - other.width / 2) < other.width &&
    Math.abs(face.y + face.height / 2 - other.y - other.height / 2) < other.height
  );
}

function closeGaps(frames: Set<number>, maxGap: number): void {
  const sorted = [...frames].sort((a, b) => a - b);
  for (const [i, at] of sorted.entries()) {
    const next = sorted[i + 1] ?? at;
    if (next - at <= maxGap) for (let between = at + 1; between < next; between++) frames.add(between);
  }
}

/**
 * Merges short stretches of panes into neighbours that show the whole frame or one person; of more people into neighbours
 * that show fewer of them, so that those who leave together leave at once; and of one person into neighbours in which
 * somebody is hidden.
 */
function withoutShort(stretches: readonly Stretch[], minFrames: number): Stretch[] {
  const kept: Stretch[] = [];
  const isShort = ({ from, to, mode }: Stretch): boolean =>
    (mode === 'panes' || mode === 'alone') && to - from < minFrames;
  const canReplace = (neighbour: Stretch, short: Stretch): boolean =>
    short.mode === 'alone'
      ? neighbour.mode === 'hidden'
      : neighbour.mode !== 'panes' || neighbour.members.every((each) => short.members.includes(each));
  for (const stretch of stretches) {
    const last = kept.at(-1);
    if (last !== undefined && isShort(stretch) && canReplace(last, stretch))
      kept[kept.length - 1] = { ...last, to: stretch.to };
    else if (last !== undefined && isShort(last) && canReplace(stretch, last))
      kept[kept.length - 1] = { ...stretch, from: last.from };
    else kept.push(stretch);
  }
  return kept;
}

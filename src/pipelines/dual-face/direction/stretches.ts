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
  readonly members: readonly Presence[];
}

/** A shorter stretch is not worth a change: it becomes part of the one before, or after. */
const MIN_SECONDS = 0.5;

/** What each frame of a shot shows: both people if both are there and neither hides the other. */
export function stretchesOf(
  casts: readonly Cast[],
  frames: number,
  geometry: ViewGeometry,
  framesPerSecond: number,
): Stretch[] {
  const found: Stretch[] = [];
  for (const [i, { from, members }] of casts.entries()) {
    const to = casts[i + 1]?.from ?? frames;
    const hidden = hiddenFrames(members, geometry, Math.round(MIN_SECONDS * framesPerSecond));
    for (let at = from; at < to; at++) {
      const mode = hidden.has(at) ? 'hidden' : modeOf(members, at);
      const last = found.at(-1);
      if (last?.mode === mode && last.members === members) found[found.length - 1] = { ...last, to: at + 1 };
      else found.push({ from: at, to: at + 1, mode, members });
    }
  }
  return withoutShort(found, MIN_SECONDS * framesPerSecond);
}

function modeOf(members: readonly Presence[], at: number): Mode {
  const present = members.filter((each) => boxAt(each, at) !== null).length;
  if (present === 2) return 'panes';
  return present === 1 ? 'alone' : 'nobody';
}

/** The frames in which one person stands where the pane of the other, who is not seen, would show somebody. */
function hiddenFrames(members: readonly Presence[], geometry: ViewGeometry, minFrames: number): Set<number> {
  const [a, b] = members;
  const frames = new Set<number>();
  if (a === undefined || b === undefined) return frames;
  for (const [hider, other] of [[a, b] as const, [b, a] as const]) {
    // Who is not seen yet at the start of a shot is not hidden by a neighbour.
    let framesInView = minFrames;
    for (const [i, box] of other.boxes.entries()) {
      const at = other.from + i;
      const front = boxAt(hider, at);
      if (box === null || front === null || !isSeenAt(hider, at)) continue;
      const inView = isInView(front, box, geometry);
      if (isSeenAt(other, at)) framesInView = inView ? framesInView + 1 : 0;
      // A neighbour who was in the view anyway hides only somebody whose place they take.
      else if (inView && (framesInView < minFrames || isOver(front, box))) frames.add(at);
    }
  }
  closeGaps(frames, minFrames);
  return frames;
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

/** Merges short stretches of panes or the whole frame into their neighbours, except where somebody is hidden. */
function withoutShort(stretches: readonly Stretch[], minFrames: number): Stretch[] {
  const kept: Stretch[] = [];
  for (const stretch of stretches) {
    const last = kept.at(-1);
    const isShort = ({ from, to, mode }: Stretch): boolean => mode === 'panes' && to - from < minFrames;
    const joinsLast = last !== undefined && last.mode !== 'panes' && isShort(stretch);
    if (joinsLast) kept[kept.length - 1] = { ...last, to: stretch.to };
    else if (last !== undefined && isShort(last) && stretch.mode !== 'panes')
      kept[kept.length - 1] = { ...stretch, from: last.from };
    else kept.push(stretch);
  }
  return kept;
}

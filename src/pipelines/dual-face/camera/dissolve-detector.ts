import { halfOf, meanDifference } from './luma-cells.ts';

/** Plain data that is stored in the checkpoint. */
export interface DissolveState {
  /** Cells of the last frames at half resolution, the newest last. */
  readonly recent: readonly Uint8Array[];
  /** Consecutive frames that looked like a dissolve, and the greatest change per frame in them, in levels. */
  readonly frames: number;
  readonly pace: number;
}

export const NO_DISSOLVE: DissolveState = { recent: [], frames: 0, pace: 0 };

/** Frames over which the change is judged. */
const SPAN = 8;
/** Minimum change over that time, in levels. */
const MIN_CHANGE = 6;
/** In a dissolve, the frame in the middle differs from the mean of the outer ones by less than this share of the change. */
const MAX_RESIDUAL = 0.25;
const MIN_FRAMES = 3;
/** The dissolve has ended when the last two frames changed by less than this share of its pace. */
const ENDED = 0.5;

/**
 * Notices the end of a dissolve. While one shot is blended into another, every cell changes linearly, so that a frame is
 * the mean of the frames before and after it; something that moves does not give such means. Measured on the scenes of
 * bench/split-screens: residuals of 0.06 to 0.2 in a dissolve, and at least 0.34 while somebody walks through the image.
 *
 * @param cells of the next frame, 32x18
 * @returns where a dissolve has ended, the number of its frames
 */
export function addToDissolve(
  before: DissolveState,
  cells: Uint8Array,
): { hasEnded: boolean; frames: number; state: DissolveState } {
  const recent = [...before.recent, halfOf(cells)].slice(-SPAN - 1);
  const [first, middle, beforeLast, last] = [0, SPAN / 2, SPAN - 2, SPAN].map((at) => recent[at]);
  if (first === undefined || middle === undefined || beforeLast === undefined || last === undefined)
    return { hasEnded: false, frames: 0, state: { ...NO_DISSOLVE, recent } };
  const mayEnd = before.frames >= MIN_FRAMES;
  if (mayEnd && meanDifference(beforeLast, last) / 2 < ENDED * before.pace)
    return { hasEnded: true, frames: before.frames + SPAN, state: NO_DISSOLVE };
  const change = meanDifference(first, last);
  const mean = first.map((level, i) => (level + (last[i] ?? 0) + 1) >> 1);
  const isDissolving = change >= MIN_CHANGE && meanDifference(middle, mean) < MAX_RESIDUAL * change;
  if (!isDissolving && !mayEnd) return { hasEnded: false, frames: 0, state: { ...NO_DISSOLVE, recent } };
  const pace = Math.max(before.pace, change / SPAN);
  return {
    hasEnded: false,
    frames: 0,
    state: { recent, frames: isDissolving ? before.frames + 1 : before.frames, pace },
  };
}

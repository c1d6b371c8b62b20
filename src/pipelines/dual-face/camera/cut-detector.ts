import type { FrameFormat } from '../../../domain/media-info.ts';
import { addToDissolve, NO_DISSOLVE, type DissolveState } from './dissolve-detector.ts';
import { cellsOf, correlation, meanDifference } from './luma-cells.ts';

/** Plain data that is stored in the checkpoint. */
export interface CutState {
  /** Mean luma of each cell of the last frame. */
  readonly cells: Uint8Array;
  /** Moving average of the difference between consecutive frames of the shot, in levels of 255. */
  readonly averageDifference: number;
  readonly dissolve: DissolveState;
}

/** Minimum difference of a cut, in levels, and of one after which hardly anything is where it was. */
const MIN_DIFFERENCE = 16;
const MIN_DIFFERENCE_OF_OTHER_IMAGE = 2.5;
/** Images of different shots have a lower correlation than this; it does not depend on how dark they are. */
const OTHER_IMAGE = 0.7;
/** Minimum ratio of a cut's difference to the average difference. */
const MIN_RATIO = 3;
/** Lower limit of the average in that ratio, because a still image has only noise; dark images have less. */
const NOISE = 1.5;
const DARK_NOISE = 0.8;
const AVERAGE_WEIGHT = 0.1;

/**
 * Whether a frame starts a new shot: by the mean luma difference of 32x18 cells from the previous frame, which for dark
 * images may be small if the images do not correlate; or because a dissolve has ended, with the number of its frames.
 */
export function detectCut(
  before: CutState | null,
  pixels: Uint8Array | Uint16Array,
  format: FrameFormat,
): { isCut: boolean; dissolveFrames: number; state: CutState } {
  const cells = cellsOf(pixels, format);
  if (before === null)
    return {
      isCut: false,
      dissolveFrames: 0,
      state: { cells, averageDifference: 0, dissolve: addToDissolve(NO_DISSOLVE, cells).state },
    };
  const difference = meanDifference(cells, before.cells);
  const { averageDifference } = before;
  const isOther =
    difference >= MIN_DIFFERENCE_OF_OTHER_IMAGE && correlation(cells, before.cells) < OTHER_IMAGE;
  const isHard = isOther
    ? difference >= MIN_RATIO * Math.max(DARK_NOISE, averageDifference)
    : difference >= MIN_DIFFERENCE && difference >= MIN_RATIO * Math.max(NOISE, averageDifference);
  const dissolve = addToDissolve(isHard ? NO_DISSOLVE : before.dissolve, cells);
  return {
    isCut: isHard || dissolve.hasEnded,
    dissolveFrames: isHard ? 0 : dissolve.frames,
    state: {
      cells,
      // The difference at a cut says nothing about the motion in the new shot.
      averageDifference: isHard ? 0 : averageDifference + AVERAGE_WEIGHT * (difference - averageDifference),
      dissolve: dissolve.state,
    },
  };
}

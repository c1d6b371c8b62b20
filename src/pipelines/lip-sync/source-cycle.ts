import type { LipSyncRecipe } from '../../domain/recipe.ts';

/** How a video goes on that is shorter than its speech. */
export interface SourceCycle {
  /** Frames of the source itself. */
  readonly ownFrames: number;
  readonly extend: LipSyncRecipe['extend'];
}

/** The frame of the source that a frame of the result shows. */
export function sourceFrame(frame: number, { ownFrames, extend }: SourceCycle): number {
  if (frame < ownFrames) return frame;
  if (extend === 'hold') return ownFrames - 1;
  if (extend === 'loop') return frame % ownFrames;
  const inPeriod = frame % (2 * ownFrames);
  return inPeriod < ownFrames ? inPeriod : 2 * ownFrames - 1 - inPeriod;
}

import type { SpeakingBox } from './face-boxes.ts';
import { sourceFrame, type SourceCycle } from './source-cycle.ts';

/**
 * The boxes of a video that repeats its source, from those of the source.
 *
 * @param own a box for each frame of the source; further ones are ignored
 * @param frames frames of the video
 */
export function repeatBoxes(
  own: readonly (SpeakingBox | null)[],
  frames: number,
  cycle: SourceCycle,
): (SpeakingBox | null)[] {
  return Array.from({ length: frames }, (_, i) => {
    const shown = sourceFrame(i, cycle);
    const box = own[shown] ?? null;
    if (box === null || i === 0) return box;
    return { ...box, startsRun: startsRun(own, sourceFrame(i - 1, cycle), shown) };
  });
}

/** Whether another face, or another shot, begins where a frame of the source is shown after another one. */
function startsRun(own: readonly (SpeakingBox | null)[], before: number, shown: number): boolean {
  // The mark is on the later frame of two neighbours, whichever of them is shown first.
  if (Math.abs(shown - before) === 1) return own[Math.max(before, shown)]?.startsRun ?? true;
  return shown !== before;
}

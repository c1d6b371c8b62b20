import { counted } from '../../../lib/counted.ts';
import type { DirectedVideo } from './director.ts';
import { SITUATIONS, type Situation } from './situations.ts';

/** Frames of each situation in the whole video. */
export function countSituations({ shots }: Pick<DirectedVideo, 'shots'>): Partial<Record<Situation, number>> {
  const total: Partial<Record<Situation, number>> = {};
  for (const { situation } of SITUATIONS) {
    const frames = shots.reduce((sum, { counts }) => sum + (counts[situation] ?? 0), 0);
    if (frames > 0) total[situation] = frames;
  }
  return total;
}

/** A summary for the log, after the whole video has been looked at. */
export function describeDirection(directed: DirectedVideo): string {
  const { people, shots } = directed;
  const listed = Object.entries(countSituations(directed)).map(
    ([situation, frames]) => `${situation} ${frames}`,
  );
  const embeddings = people.flatMap(({ tracklets }) => tracklets.flatMap((each) => each.embeddings)).length;
  return (
    `pane frames: ${listed.join(', ')}; cuts: ${shots.length - 1}; ` +
    `${counted(people.length, 'person', 'people')} seen, told apart by ${counted(embeddings, 'face embedding')}`
  );
}

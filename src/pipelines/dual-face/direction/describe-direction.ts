import { counted } from '../../../lib/counted.ts';
import type { DirectedVideo } from './director.ts';
import { addCounts, type Counts } from './situations.ts';

/** Frames of each situation in the whole video. */
export function countSituations({ shots }: Pick<DirectedVideo, 'shots'>): Counts {
  return addCounts(shots.map(({ counts }) => counts));
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
    `${counted(people.length, 'person', 'people')} seen, told apart by ${embeddings === 0 ? 'position and size' : counted(embeddings, 'face embedding')}`
  );
}

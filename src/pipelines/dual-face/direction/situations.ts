import { BRIDGE_SECONDS, HOLD_SECONDS } from './presence.ts';

/** What is counted for each pane and frame; of the whole frame, once per frame. */
export type Situation = 'shown' | 'away' | 'alone' | 'hidden' | 'nobody' | 'three or more' | 'crop' | 'whole';

/** Number of frames of each situation. */
export type Counts = Readonly<Partial<Record<Situation, number>>>;

/** The situations with when they apply, which docs/guide.md lists too; a test compares the two. */
export const SITUATIONS: readonly { readonly situation: Situation; readonly when: string }[] = [
  { situation: 'shown', when: 'the face is seen' },
  {
    situation: 'away',
    when: `the face is not seen, but is back near the same place within ${BRIDGE_SECONDS} s; also for up to ${HOLD_SECONDS} s after somebody has left`,
  },
  { situation: 'alone', when: 'only one of the people to show is there' },
  { situation: 'hidden', when: 'another person stands in front' },
  { situation: 'nobody', when: 'none of the people to show is there' },
  { situation: 'three or more', when: 'more than two people are there' },
  { situation: 'crop', when: 'a span of the sidecar file has crops' },
  { situation: 'whole', when: 'a span of the sidecar file has the layout whole' },
];

/** The sums of counts, in the order of the situations. */
export function addCounts(some: readonly Counts[]): Counts {
  const total: Partial<Record<Situation, number>> = {};
  for (const { situation } of SITUATIONS) {
    const frames = some.reduce((sum, counts) => sum + (counts[situation] ?? 0), 0);
    if (frames > 0) total[situation] = frames;
  }
  return total;
}

import { BRIDGE_SECONDS, HOLD_SECONDS } from './presence.ts';

/** What is counted for each pane and frame; of the whole frame, once per frame. */
export type Situation = 'shown' | 'away' | 'alone' | 'hidden' | 'nobody' | 'three or more';

/** The situations with when they apply, which docs/guide.md lists too; a test compares the two. */
export const SITUATIONS: readonly { readonly situation: Situation; readonly when: string }[] = [
  { situation: 'shown', when: 'the face is seen' },
  {
    situation: 'away',
    when: `the face is not seen, but is back near the same place within ${BRIDGE_SECONDS} s; also ${HOLD_SECONDS} s after somebody has left`,
  },
  { situation: 'alone', when: 'only one of the two people is there' },
  { situation: 'hidden', when: 'the other person stands in front' },
  { situation: 'nobody', when: 'neither of the two people is there' },
  { situation: 'three or more', when: 'more than two people are there' },
];

/** What can be amiss with the person of a pane, or with the whole image (C7). */
export type Situation =
  'shown' | 'just lost' | 'lost' | 'long gone' | 'never there' | 'nobody' | 'three or more';

/** What a pane, or the whole frame, shows then. */
export type Showing =
  /** The face, followed. */
  | 'follow'
  /** The place where the face was seen last, unmoved. */
  | 'hold'
  /** The camera moves from there to the whole image. */
  | 'open up'
  /** The whole image in the pane, or black where the recipe says so. */
  | 'wide'
  /** The whole image without panes. */
  | 'whole frame'
  /** As it would be without: the situation is only counted. */
  | 'no change';

export interface FailureRule {
  readonly situation: Situation;
  /** Seconds that the face has not been seen for, from and below. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly showing: Showing;
}

const HOLD_SECONDS = 1;
const OPEN_SECONDS = 2.5;

/** The table of the guide's chapter on dual-face; a test keeps both alike. */
export const FAILURE_TABLE: readonly FailureRule[] = [
  { situation: 'shown', fromSeconds: 0, toSeconds: 0, showing: 'follow' },
  { situation: 'just lost', fromSeconds: 0, toSeconds: HOLD_SECONDS, showing: 'hold' },
  { situation: 'lost', fromSeconds: HOLD_SECONDS, toSeconds: OPEN_SECONDS, showing: 'open up' },
  { situation: 'long gone', fromSeconds: OPEN_SECONDS, toSeconds: Infinity, showing: 'wide' },
  { situation: 'never there', fromSeconds: 0, toSeconds: Infinity, showing: 'wide' },
  { situation: 'nobody', fromSeconds: OPEN_SECONDS, toSeconds: Infinity, showing: 'whole frame' },
  { situation: 'three or more', fromSeconds: 0, toSeconds: Infinity, showing: 'no change' },
];

/** The rule for a person who was seen `seconds` ago; null: the pane has had nobody since the shot began. */
export function ruleForPane(seconds: number | null): FailureRule {
  if (seconds === null) return rule('never there');
  if (seconds === 0) return rule('shown');
  const lost = ['just lost' as const, 'lost' as const].map(rule).find(({ toSeconds }) => seconds < toSeconds);
  return lost ?? rule('long gone');
}

/** Whether the panes give way to the whole image: nobody is left in either. */
export function isNobody(left: FailureRule, right: FailureRule): boolean {
  return left.showing === 'wide' && right.showing === 'wide';
}

function rule(situation: Situation): FailureRule {
  const found = FAILURE_TABLE.find((each) => each.situation === situation);
  if (found === undefined) throw new RangeError(`The table has no rule for: ${situation}.`);
  return found;
}

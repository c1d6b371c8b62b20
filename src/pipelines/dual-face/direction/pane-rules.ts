import type { DualFaceRecipe } from '../../../domain/recipe.ts';

/** State of the person of a pane, or of the whole frame. */
export type Situation =
  | 'shown'
  | 'just lost'
  | 'lost'
  | 'long gone'
  | 'never there'
  | 'alone'
  | 'hidden'
  | 'nobody'
  | 'three or more';

/** What a pane, or the whole frame, shows. */
export type PaneContent =
  /** The face; the camera follows it. */
  | 'follow'
  /** The last position of the face; the camera stays still. */
  | 'hold'
  /** The camera moves from there to the whole image. */
  | 'zoom out'
  /** The whole image, or black if the recipe says so. */
  | 'wide'
  /** The whole image instead of both panes. */
  | 'whole frame'
  /** The same as otherwise; the situation is only counted. */
  | 'unchanged';

export interface PaneRule {
  readonly situation: Situation;
  /** Range of the time since the face was last visible: from `fromSeconds`, below `toSeconds`. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly content: PaneContent;
}

const HOLD_SECONDS = 1;
const ZOOM_OUT_SECONDS = 2.5;

/** The rules, which docs/guide.md lists too; a test compares the two. */
export const PANE_RULES: readonly PaneRule[] = [
  { situation: 'shown', fromSeconds: 0, toSeconds: 0, content: 'follow' },
  { situation: 'just lost', fromSeconds: 0, toSeconds: HOLD_SECONDS, content: 'hold' },
  { situation: 'lost', fromSeconds: HOLD_SECONDS, toSeconds: ZOOM_OUT_SECONDS, content: 'zoom out' },
  { situation: 'long gone', fromSeconds: ZOOM_OUT_SECONDS, toSeconds: Infinity, content: 'wide' },
  { situation: 'never there', fromSeconds: 0, toSeconds: Infinity, content: 'wide' },
  { situation: 'alone', fromSeconds: HOLD_SECONDS, toSeconds: Infinity, content: 'whole frame' },
  { situation: 'hidden', fromSeconds: 0, toSeconds: HOLD_SECONDS, content: 'whole frame' },
  { situation: 'nobody', fromSeconds: ZOOM_OUT_SECONDS, toSeconds: Infinity, content: 'whole frame' },
  { situation: 'three or more', fromSeconds: 0, toSeconds: Infinity, content: 'unchanged' },
];

/** The rule for a pane. @param seconds since its person was last visible; null if it has had none since the cut */
export function ruleForPane(seconds: number | null): PaneRule {
  if (seconds === null) return ruleOf('never there');
  if (seconds === 0) return ruleOf('shown');
  const lost = (['just lost', 'lost'] as const).map(ruleOf).find(({ toSeconds }) => seconds < toSeconds);
  return lost ?? ruleOf('long gone');
}

/**
 * Why the whole frame is shown instead of the panes; null if it is not.
 *
 * @param isHidden whether one of the two people hides the other
 */
export function whyWholeFrame(
  left: PaneRule,
  right: PaneRule,
  isHidden: boolean,
  { single, missing }: Pick<DualFaceRecipe, 'single' | 'missing'>,
): 'alone' | 'hidden' | 'nobody' | null {
  if (isHidden) return 'hidden';
  const empty = [left, right].filter(({ content }) => content !== 'follow' && content !== 'hold');
  if (empty.length === 1) return single === 'own-side' ? null : 'alone';
  if (empty.length === 0 || missing === 'black') return null;
  return single !== 'own-side' || empty.every(({ content }) => content === 'wide') ? 'nobody' : null;
}

function ruleOf(situation: Situation): PaneRule {
  const found = PANE_RULES.find((each) => each.situation === situation);
  if (found === undefined) throw new RangeError(`There is no rule for the situation "${situation}".`);
  return found;
}

import type { Person } from '../identity/person.ts';
import type { ViewGeometry } from '../camera/view.ts';

/** A pane; in the layout `stacked`, the left one is at the top. */
export type Side = 'left' | 'right';

export interface Panes {
  /** Id of the person in the left pane; null if the pane is empty. */
  readonly left: number | null;
  readonly right: number | null;
}

/** The panes so far. */
export interface PanesWithHistory extends Panes {
  /** Pane that each person had first, by their id. */
  readonly sides: Readonly<Record<number, Side>>;
}

export interface SideOptions {
  /** Whether the shot has just begun, so that people are not yet all recognised and their panes may still change. */
  readonly isSettling: boolean;
  readonly geometry: ViewGeometry;
  readonly layout: 'side-by-side' | 'stacked';
  /** Whether a pane is shown while its person is alone. */
  readonly showsAlone: boolean;
}

/**
 * The panes of at most two people. A person keeps their pane during a shot, and in a new shot gets the one they had first in
 * the video, so that nobody changes sides at a cut; people without one are assigned by their position.
 *
 * @param people those who already have a pane first
 */
export function sidesOf(people: readonly Person[], before: PanesWithHistory, options: SideOptions): Panes {
  const [a, b] = people;
  if (a === undefined) return { left: null, right: null };
  const side = preferredSide(a, before, options);
  if (b === undefined) return panesWith(a, side ?? sideOfNewcomer(a, before, options), null);
  const other = preferredSide(b, before, options);
  if (side === null && other === null) return panesWith(a, isFirst(a, b, options) ? 'left' : 'right', b);
  if (side !== null && (side !== other || a.id < b.id || !options.isSettling)) return panesWith(a, side, b);
  return panesWith(b, other ?? 'left', a);
}

/** The pane of a person that must not change without need; null if any will do. */
function preferredSide(
  { id }: Person,
  before: PanesWithHistory,
  { isSettling, showsAlone }: SideOptions,
): Side | null {
  const first = before.sides[id] ?? null;
  const current = before.left === id ? 'left' : before.right === id ? 'right' : null;
  if (isSettling) return first ?? current;
  // The pane of a person who has been alone so far was not visible.
  return first === null && !showsAlone ? null : (current ?? first);
}

/** The pane of a new person without another one: by position, unless only that pane was somebody else’s before. */
function sideOfNewcomer({ box }: Person, { sides }: PanesWithHistory, { geometry }: SideOptions): Side {
  const taken = new Set(Object.values(sides));
  const side = box.x + box.width / 2 < geometry.width / 2 ? 'left' : 'right';
  return taken.has(side) && !taken.has(opposite(side)) ? opposite(side) : side;
}

/** Whether a person is left of another; in the layout `stacked`, above, if they are one above the other. */
function isFirst({ box: a }: Person, { box: b }: Person, { layout }: SideOptions): boolean {
  const right = b.x + b.width / 2 - (a.x + a.width / 2);
  const below = b.y + b.height / 2 - (a.y + a.height / 2);
  return layout === 'stacked' && Math.abs(below) > Math.abs(right) ? below > 0 : right >= 0;
}

function panesWith(person: Person, side: Side, other: Person | null): Panes {
  const panes = { left: other?.id ?? null, right: other?.id ?? null };
  return { ...panes, [side]: person.id };
}

function opposite(side: Side): Side {
  return side === 'left' ? 'right' : 'left';
}

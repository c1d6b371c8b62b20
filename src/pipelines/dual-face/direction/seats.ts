import type { PaneLayout } from '../../../domain/recipe.ts';
import type { Box } from '../tracking/box.ts';
import { median } from './median-boxes.ts';
import { boxAt, type Presence } from './presence.ts';

/** A pane; in the layout `stacked`, the left one is at the top. */
export type Side = 'left' | 'right';

/** Who is in each pane, in reading order; null: nobody. */
export type Seats = readonly (Presence | null)[];

/** Frames that decide who is on which side. */
const FIRST_FRAMES = 12;

/**
 * Decides who gets which of two panes, from the first shot of the video to the last one. A person keeps the pane that they had
 * first, so that nobody changes sides at a cut to the reverse angle; people without one are seated by their positions.
 */
export class SeatBook {
  readonly #first = new Map<number, Side>();
  readonly #width: number;

  /** @param width of the source in pixels */
  constructor(width: number) {
    this.#width = width;
  }

  /**
   * The panes of one or two people.
   *
   * @param before the panes until now in the same shot, in which people keep theirs; null at the start of a shot
   * @param at frame of the shot from which on they are shown
   */
  seat(members: readonly Presence[], before: Seats | null, at: number, layout: PaneLayout): Seats {
    const [a, b] = members;
    if (a === undefined) return [null, null];
    const preferred = ({ personId }: Presence): Side | null =>
      currentSide(personId, before) ?? this.#first.get(personId) ?? null;
    let seats: Seats;
    if (b === undefined) seats = place(preferred(a) ?? this.#sideOfNewcomer(a, at), a, null);
    else {
      const [side, other] = [preferred(a), preferred(b)];
      if (side === null && other === null) seats = place(isFirst(a, b, at, layout) ? 'left' : 'right', a, b);
      else if (side !== null && (side !== other || hasPriority(a, b, before))) seats = place(side, a, b);
      else seats = place(other ?? 'left', b, a);
    }
    for (const [i, person] of seats.entries())
      if (person !== null && !this.#first.has(person.personId))
        this.#first.set(person.personId, i === 0 ? 'left' : 'right');
    return seats;
  }

  /** The pane of a new person without another one: by position, unless only that pane was somebody else’s before. */
  #sideOfNewcomer(person: Presence, at: number): Side {
    const taken = new Set(this.#first.values());
    const centers = Array.from({ length: FIRST_FRAMES }, (_, i) => boxAt(person, at + i)).flatMap((box) =>
      box === null ? [] : [box.x + box.width / 2],
    );
    const side = median(centers) < this.#width / 2 ? 'left' : 'right';
    return taken.has(side) && !taken.has(opposite(side)) ? opposite(side) : side;
  }
}

/** Whether a person is left of another; in the layout `stacked`, above, if they are one above the other. */
function isFirst(a: Presence, b: Presence, at: number, layout: PaneLayout): boolean {
  const [right, below] = [distance(a, b, at, 'x', 'width'), distance(a, b, at, 'y', 'height')];
  return layout === 'stacked' && Math.abs(below) > Math.abs(right) ? below > 0 : right >= 0;
}

/** The median distance of two people along one axis, in the first frames in which both are there. */
function distance(
  a: Presence,
  b: Presence,
  from: number,
  position: 'x' | 'y',
  length: 'width' | 'height',
): number {
  const centerOf = (box: Box): number => box[position] + box[length] / 2;
  return median(
    Array.from({ length: FIRST_FRAMES }, (_, i) => i + from).flatMap((at) => {
      const [box, other] = [boxAt(a, at), boxAt(b, at)];
      return box === null || other === null ? [] : [centerOf(other) - centerOf(box)];
    }),
  );
}

/** Whether `a` keeps a pane that both want: who has it in this shot, otherwise who was first in the video. */
function hasPriority(a: Presence, b: Presence, before: Seats | null): boolean {
  const [isSeated, isOtherSeated] = [a, b].map(({ personId }) => currentSide(personId, before) !== null);
  return isSeated === isOtherSeated ? a.personId < b.personId : isSeated === true;
}

function currentSide(personId: number, before: Seats | null): Side | null {
  if (before?.[0]?.personId === personId) return 'left';
  return before?.[1]?.personId === personId ? 'right' : null;
}

function place(side: Side, person: Presence, other: Presence | null): Seats {
  return side === 'left' ? [person, other] : [other, person];
}

function opposite(side: Side): Side {
  return side === 'left' ? 'right' : 'left';
}

import type { PaneLayout } from '../../../domain/recipe.ts';
import type { Presence } from './presence.ts';
import { SeatOrder } from './seat-order.ts';
import { SeatBook, type Seats } from './seats.ts';

/** How the people of a shot are seated. */
export interface SeatRules {
  readonly layout: PaneLayout;
  /** Numbers of people in the order that the sidecar file asks for; empty: it asks for none. */
  readonly people: readonly number[];
}

/** Largest number of panes of each layout. */
export const MAX_PANES: Readonly<Record<PaneLayout, number>> = {
  'side-by-side': 2,
  stacked: 2,
  grid: 4,
  speaker: 1,
};

/** Decides who gets which pane, from the first shot of the video to the last one. */
export class Seating {
  readonly #pairs: SeatBook;
  readonly #order = new SeatOrder();

  /** @param width of the source in pixels */
  constructor(width: number) {
    this.#pairs = new SeatBook(width);
  }

  /**
   * The panes of the people who are shown.
   *
   * @param before the panes until now in the same shot; null at its start
   * @param at frame of the shot from which on they are shown
   */
  seat(members: readonly Presence[], before: Seats | null, at: number, { layout, people }: SeatRules): Seats {
    // The next shot in another layout must not depend on who spoke.
    if (layout === 'speaker') return members;
    if (people.length > 0) return seatedAsAsked(members, people, layout);
    return layout === 'grid' ? this.#order.seat(members, at) : this.#pairs.seat(members, before, at, layout);
  }
}

function seatedAsAsked(members: readonly Presence[], people: readonly number[], layout: PaneLayout): Seats {
  const rankOf = ({ personId }: Presence): number => people.indexOf(personId);
  const ranked = [...members].sort((a, b) => rankOf(a) - rankOf(b));
  const [first] = ranked;
  if (layout === 'grid' || ranked.length > 1 || first === undefined) return ranked;
  return rankOf(first) === 0 ? [first, null] : [null, first];
}

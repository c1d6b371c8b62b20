import { median } from './median-boxes.ts';
import { boxAt, type Presence } from './presence.ts';

/** Frames that decide where somebody is. */
const FIRST_FRAMES = 12;
/** People are in another row if they are this many heights of a face further down. */
const ROW_HEIGHTS = 1.5;

/**
 * The order of the people in a grid, from the first shot of the video to the last one. Nobody changes places with another
 * person: newcomers are inserted next to who is beside them.
 */
export class SeatOrder {
  #order: number[] = [];

  /** The people in the order of their panes. @param at frame of the shot from which on they are shown */
  seat(members: readonly Presence[], at: number): Presence[] {
    let before = -1;
    for (const { personId } of inReadingOrder(members, at)) {
      const known = this.#order.indexOf(personId);
      if (known === -1) this.#order.splice(++before, 0, personId);
      else before = known;
    }
    const rankOf = ({ personId }: Presence): number => this.#order.indexOf(personId);
    return [...members].sort((a, b) => rankOf(a) - rankOf(b));
  }
}

/** From left to right, and rows from top to bottom. */
function inReadingOrder(members: readonly Presence[], at: number): Presence[] {
  const placed = members.map((person) => ({ person, ...centerOf(person, at) })).sort((a, b) => a.y - b.y);
  let row = 0;
  const inRows = placed.map((each, i) => {
    const above = placed[i - 1];
    if (above !== undefined && each.y - above.y > ROW_HEIGHTS * each.person.height) row++;
    return { ...each, row };
  });
  return inRows.sort((a, b) => a.row - b.row || a.x - b.x).map(({ person }) => person);
}

function centerOf(person: Presence, at: number): { readonly x: number; readonly y: number } {
  const boxes = Array.from({ length: FIRST_FRAMES }, (_, i) => boxAt(person, at + i)).filter(
    (box) => box !== null,
  );
  return {
    x: median(boxes.map(({ x, width }) => x + width / 2)),
    y: median(boxes.map(({ y, height }) => y + height / 2)),
  };
}

import type { Box } from './tracking/box.ts';
import type { Person } from './identity/person.ts';

/** Each item with whether it is the last one. */
export async function* withLast<T>(
  items: AsyncIterable<T> | Iterable<T>,
): AsyncGenerator<{ item: T; isLast: boolean }> {
  let held: { readonly item: T } | null = null;
  for await (const item of items) {
    if (held !== null) yield { item: held.item, isLast: false };
    held = { item };
  }
  if (held !== null) yield { item: held.item, isLast: true };
}

/**
 * The people of a frame between two analysed ones. Boxes are interpolated; a person whose track is not the same in both
 * frames stays at the earlier position.
 *
 * @param share of the distance from `before` to `after`, 0 to 1
 */
export function interpolatePeople(
  before: readonly Person[],
  after: readonly Person[],
  share: number,
): Person[] {
  return before.map((person) => {
    const next = after.find(({ id }) => id === person.id);
    if (next === undefined || next.trackId === null || next.trackId !== person.trackId) return person;
    const blend = (from: number, to: number): number => from + share * (to - from);
    return {
      ...person,
      box: blendBoxes(person.box, next.box, blend),
      x: blend(person.x, next.x),
      height: blend(person.height, next.height),
    };
  });
}

function blendBoxes(from: Box, to: Box, blend: (from: number, to: number) => number): Box {
  return {
    x: blend(from.x, to.x),
    y: blend(from.y, to.y),
    width: blend(from.width, to.width),
    height: blend(from.height, to.height),
  };
}

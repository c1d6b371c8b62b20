import { expect, it } from 'vitest';
// @ts-expect-error The page is JavaScript.
import * as draft from '../../../web/draft.js';

interface Span {
  from: number;
  to: number;
  layout?: string;
}
const { edit, newDraft, undo, moved, withSpan, requestOf, seatOrder } = draft as {
  edit: (draft: unknown, change: unknown) => unknown;
  newDraft: (recipe: unknown) => unknown;
  undo: (draft: unknown) => unknown;
  moved: (people: number[], id: number, by: number) => number[];
  withSpan: (spans: Span[], stretch: Span, change: Partial<Span>) => Span[];
  requestOf: (corrections: unknown) => unknown;
  seatOrder: (screen: unknown) => number[];
};

it('changes are undone one by one', () => {
  const first = newDraft({ people: [2, 1] });
  const third = edit(edit(first, { people: [1, 2] }), { people: null });
  expect(undo(third)).toMatchObject({ now: { people: [1, 2], spans: [] } });
  expect(undo(undo(undo(third)))).toEqual(first);
});

it('a person moves within the list, not beyond its ends', () => {
  expect(moved([1, 2, 3], 3, -1)).toEqual([1, 3, 2]);
  const all = [1, 2, 3];
  expect(moved(all, 3, 1)).toBe(all);
});

it('a span keeps its bounds before it changes something, and a frame of its stretch', () => {
  const stretch = { from: 10, to: 20 };
  const bounds = withSpan(withSpan([], stretch, { from: 15 }), stretch, { to: 18 });
  expect(bounds).toEqual([{ from: 15, to: 18 }]);
  expect(requestOf({ people: null, spans: bounds })).toEqual({});
  expect(withSpan(bounds, stretch, { layout: 'whole' })).toEqual([{ from: 15, to: 18, layout: 'whole' }]);
  expect(withSpan(bounds, stretch, { from: 90 })).toEqual([{ from: 19, to: 20 }]);
});

it('people are in the order of the panes, the others behind', () => {
  const panes = [{ person: 3 }, null, { person: 1 }];
  const people = [{ id: 1 }, { id: 2 }, { id: 3 }];
  expect(seatOrder({ people, shots: [{ stretches: [{ panes }] }] })).toEqual([3, 1, 2]);
});

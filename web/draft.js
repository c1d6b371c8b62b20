// Corrections of a split screen while they are edited, with the steps that can be undone.

/** Corrections as they are in a recipe: `people` is null while everybody may be shown. */
export function correctionsOf({ people = null, spans = [] }) {
  return { people, spans };
}

/** A draft that has not been edited. */
export function newDraft(recipe) {
  return { now: correctionsOf(recipe), earlier: [] };
}

/** The draft after a change, which can be undone. */
export function edit({ now, earlier }, change) {
  return { now: { ...now, ...change }, earlier: [...earlier, now] };
}

/** The draft without its last change. */
export function undo(draft) {
  return draft.earlier.length === 0
    ? draft
    : { now: draft.earlier.at(-1), earlier: draft.earlier.slice(0, -1) };
}

/** Everybody in the order of the panes of the first shots, then those who have no pane. */
export function seatOrder({ people, shots }) {
  const seated = shots.flatMap(({ stretches }) =>
    stretches.flatMap(({ panes }) => panes.flatMap((pane) => (pane?.person ? [pane.person] : []))),
  );
  return [...new Set([...seated, ...people.map(({ id }) => id)])];
}

/** People with one of them a place earlier (-1) or later (1). */
export function moved(people, id, by) {
  const at = people.indexOf(id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= people.length) return people;
  const order = people.toSpliced(at, 1);
  return order.toSpliced(to, 0, id);
}

/** The span that covers a part of a stretch; null if none does. */
export function spanOf(spans, { from, to }) {
  return spans.find((span) => span.from < to && span.to > from) ?? null;
}

/** The spans after a change of the one that covers a stretch. It keeps a frame in common with the stretch. */
export function withSpan(spans, stretch, change) {
  const old = spanOf(spans, stretch);
  const { from, to } = stretch;
  const span = { ...(old ?? { from, to }), ...change };
  const first = Math.max(0, Math.min(span.from, to - 1));
  const changed = { ...span, from: first, to: Math.max(span.to, from + 1, first + 1) };
  const given = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
  return [...spans.filter((each) => each !== old), given].toSorted((a, b) => a.from - b.from);
}

/** The changes of a recipe that ask for these corrections; spans that change nothing are left out. */
export function requestOf({ people, spans }) {
  const used = spans.filter((span) => Object.keys(span).length > 2);
  return { ...(people === null ? {} : { people }), ...(used.length === 0 ? {} : { spans: used }) };
}

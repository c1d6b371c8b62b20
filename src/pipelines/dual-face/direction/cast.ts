import { boxAt, type Presence } from './presence.ts';

/** The people who have the panes from frame `from` of the shot on: as many as there are panes, or everybody. */
export interface Cast {
  readonly from: number;
  readonly members: readonly Presence[];
}

/** Only this many people of a shot, the most prominent ones, are considered. */
const MAX_PEOPLE = 6;
/** Replacing somebody costs as much as not showing the smaller of the two for this long. */
export const SWITCH_SECONDS = 1.5;
/** A frame that shows several people counts this many times as much as each of them alone. */
const TOGETHER = 1.5;

/**
 * Chooses the people of the panes for the whole shot at once: the pairs, or groups, with the greatest sum of face heights over all
 * frames in which they are there, less a price for every change. Dynamic programming (the Viterbi algorithm) finds the
 * best sequence.
 *
 * @param panes the largest number of panes
 */
export function castShot(
  presences: readonly Presence[],
  panes: number,
  frames: number,
  framesPerSecond: number,
): Cast[] {
  const ranked = mostProminent(presences);
  const choices = groupsOf(ranked, Math.min(panes, ranked.length));
  const price = choices.map((next) => choices.map((former) => priceOf(former, next, framesPerSecond)));

  const segments = segmentsOf(ranked, frames);
  const ways = choices.map((members) => ({ score: 0, casts: [{ from: 0, members }] as readonly Cast[] }));
  let best = ways;
  for (const { from, to } of segments) {
    const before = best;
    best = choices.map((members, next) => {
      const stay = before[next] ?? { score: 0, casts: [] };
      let way = stay;
      for (const [former, each] of before.entries()) {
        const score = each.score - (price[next]?.[former] ?? 0);
        if (score > way.score) way = { score, casts: [...each.casts, { from, members }] };
      }
      const shown = members.filter((each) => boxAt(each, from) !== null);
      const value = shown.reduce((sum, { height }) => sum + height, 0) * (shown.length > 1 ? TOGETHER : 1);
      return { ...way, score: way.score + value * (to - from) };
    });
  }
  const [first, ...others] = best;
  return [...others.reduce((a, b) => (b.score > a.score ? b : a), first ?? { score: 0, casts: [] }).casts];
}

/** The people of a shot who are considered, the most prominent one first. */
export function mostProminent(presences: readonly Presence[]): Presence[] {
  return [...presences]
    .sort((a, b) => weightOf(b) - weightOf(a) || a.personId - b.personId)
    .slice(0, MAX_PEOPLE);
}

/** All groups of `size` people. */
function groupsOf(people: readonly Presence[], size: number): Presence[][] {
  if (size === 0) return [[]];
  return people.flatMap((first, i) =>
    groupsOf(people.slice(i + 1), size - 1).map((others) => [first, ...others]),
  );
}

/** Prominence of a person: height of the face times the number of frames in which it is there. */
function weightOf({ boxes, height }: Presence): number {
  return height * boxes.filter((box) => box !== null).length;
}

function priceOf(former: readonly Presence[], next: readonly Presence[], framesPerSecond: number): number {
  const added = next.filter((each) => !former.includes(each));
  const removed = former.filter((each) => !next.includes(each));
  const heights = added.map(({ height }, i) => Math.min(height, removed[i]?.height ?? 0));
  return heights.reduce((sum, height) => sum + SWITCH_SECONDS * framesPerSecond * height, 0);
}

/** Ranges of frames in which the same people are there. */
function segmentsOf(presences: readonly Presence[], frames: number): { from: number; to: number }[] {
  const starts: number[] = [];
  for (let at = 0; at < frames; at++) {
    const isChange = presences.some((each) => (boxAt(each, at) === null) !== (boxAt(each, at - 1) === null));
    if (at === 0 || isChange) starts.push(at);
  }
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? frames }));
}

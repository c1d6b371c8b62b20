import { mostProminent, type Cast } from './cast.ts';
import { boxAt, type Presence } from './presence.ts';

/** Somebody who speaks for less than this, between two times in which another one does, does not get the pane. */
export const TURN_SECONDS = 1.5;
/** By how much the share of a speaker in all mouth movement exceeds that of each listener, who moves a little too. */
const LEAD = 0.65;
/** A mouth closes between syllables: its movement is averaged over this long before and after. */
const AROUND_SECONDS = 0.3;
/** Movement that mouths seem to have in silence (see `mouthMovement`), from noise and from heads that turn. */
const IDLE_MOVEMENT = 0.06;
/** What the size of a face counts against speech: it decides if nobody speaks in the whole shot. */
const SIZE_WEIGHT = 0.001;

/**
 * Chooses who has the only pane in each frame of a shot: the sequence of speakers with the greatest sum of their shares of
 * all mouth movement, less a price for every change. It knows the whole shot, so it changes when somebody starts to speak,
 * not when that has become certain; and a word in between costs two changes, which it is not worth. In silence, the pane
 * stays with who has spoken.
 *
 * @param speech how certain it is that somebody speaks, in each frame of the shot; null: nothing is known about that
 */
export function castSpeakers(
  everybody: readonly Presence[],
  speech: Float32Array | null,
  frames: number,
  framesPerSecond: number,
): Cast[] {
  const presences = mostProminent(everybody);
  const reach = Math.round(AROUND_SECONDS * framesPerSecond);
  const movements = presences.map((presence) => averageMovement(presence, frames, reach));
  const tallest = Math.max(1, ...presences.map(({ height }) => height));
  const price = (LEAD * TURN_SECONDS * framesPerSecond) / 2;
  // For each frame and person, who has the pane in the frame before, if the person has it now.
  const came = Array.from({ length: frames }, () => new Uint16Array(presences.length));
  let scores = presences.map(() => 0);
  for (let at = 0; at < frames; at++) {
    const all = movements.reduce((sum, each) => sum + (each[at] ?? 0), IDLE_MOVEMENT);
    const best = indexOfBest(scores);
    scores = presences.map((presence, i) => {
      const isKept = at === 0 || (scores[i] ?? 0) >= (scores[best] ?? 0) - price;
      const before = isKept ? (scores[i] ?? 0) : (scores[best] ?? 0) - price;
      came[at]?.fill(isKept ? i : best, i, i + 1);
      if (boxAt(presence, at) === null) return before - 1;
      const share = ((speech?.[at] ?? 1) * (movements[i]?.[at] ?? 0)) / all;
      return before + share + (SIZE_WEIGHT * presence.height) / tallest;
    });
  }
  return castsOf(presences, came, indexOfBest(scores));
}

/** Follows the best sequence back from its last person. */
function castsOf(presences: readonly Presence[], came: readonly Uint16Array[], last: number): Cast[] {
  const casts: Cast[] = [];
  let who = last;
  for (let at = came.length - 1; at >= 0; at--) {
    const before = came[at]?.[who] ?? who;
    const person = presences[who];
    if (at === 0 || before !== who)
      casts.unshift({ from: at, members: person === undefined ? [] : [person] });
    who = before;
  }
  return casts;
}

function averageMovement({ from, mouth }: Presence, frames: number, reach: number): Float64Array {
  return Float64Array.from({ length: frames }, (_, at) => {
    const near = mouth.slice(Math.max(0, at - reach - from), Math.max(0, at + reach + 1 - from));
    return near.reduce((sum, each) => sum + each, 0) / (2 * reach + 1);
  });
}

function indexOfBest(scores: readonly number[]): number {
  return scores.reduce((best, score, i) => (score > (scores[best] ?? -Infinity) ? i : best), 0);
}

import type { ScreenViews } from '../composition/screen-views.ts';
import type { Person } from '../identity/person.ts';
import type { Shot } from '../identity/tracklet.ts';
import { castShot } from './cast.ts';
import type { DirectorOptions } from './director-options.ts';
import { paneViews } from './pane-views.ts';
import { boxAt, isSeenAt, presenceIn, type Presence } from './presence.ts';
import type { SeatBook, Seats } from './seats.ts';
import type { Situation } from './situations.ts';
import { stretchesOf, type Stretch } from './stretches.ts';

/** A stretch of frames of a shot that shows the same people in the same way. */
export interface DirectedStretch {
  readonly from: number;
  readonly to: number;
  readonly mode: Stretch['mode'];
  /** Ids of the people in the panes; null: nobody. */
  readonly left: number | null;
  readonly right: number | null;
}

export interface DirectedShot {
  /** Of each frame of the shot. */
  readonly views: readonly ScreenViews[];
  readonly stretches: readonly DirectedStretch[];
  /** Number of frames of each situation; each pane counts separately. */
  readonly counts: Readonly<Partial<Record<Situation, number>>>;
}

/** Duration of the cross-fade from the panes to the whole image where somebody has left. */
const FADE_SECONDS = 0.4;

/** Decides what a shot shows. @param people who are seen in the shot */
export function directShot(
  shot: Shot,
  people: readonly Person[],
  seatBook: SeatBook,
  { geometry, framesPerSecond, recipe }: DirectorOptions,
): DirectedShot {
  const frames = shot.to - shot.from;
  const presences = people
    .map((person) => presenceIn(shot, person, framesPerSecond, recipe.detectEvery))
    .filter((presence) => presence !== null);
  const casts = castShot(presences, frames, framesPerSecond);
  const stretches = stretchesOf(casts, frames, geometry, framesPerSecond);
  const showsPanes = ({ mode }: Stretch): boolean =>
    mode === 'panes' || (mode === 'alone' && recipe.single === 'own-side');

  const left = new Array<Presence | null>(frames).fill(null);
  const right = new Array<Presence | null>(frames).fill(null);
  const whole = new Array<number>(frames).fill(0);
  const directed: DirectedStretch[] = [];
  const counts: Partial<Record<Situation, number>> = {};
  const count = (situation: Situation, by = 1): void => {
    counts[situation] = (counts[situation] ?? 0) + by;
  };
  let seats: Seats | null = null;
  for (const [i, stretch] of stretches.entries()) {
    const { from, to, mode, members } = stretch;
    const isShown = showsPanes(stretch);
    if (isShown) {
      const shown = mode === 'panes' ? members : members.filter((each) => boxAt(each, from) !== null);
      seats = seatBook.seat(shown, seats, from);
    }
    directed.push({
      from: shot.from + from,
      to: shot.from + to,
      mode,
      left: isShown ? (seats?.left?.personId ?? null) : null,
      right: isShown ? (seats?.right?.personId ?? null) : null,
    });
    if (mode !== 'panes') count(mode, to - from);
    const isBlack = mode === 'nobody' && recipe.missing === 'black';
    for (let at = from; at < to; at++) {
      if (!isShown) {
        // Only somebody's absence fades in: a face that is hidden must not wait.
        const fades = i > 0 && mode !== 'hidden' && stretches[i - 1]?.mode === 'panes';
        const opacity = fades
          ? Math.min(1, (at - from + 1) / Math.max(1, FADE_SECONDS * framesPerSecond))
          : 1;
        whole[at] = isBlack ? 0 : opacity;
        if (opacity < 1) [left[at], right[at]] = [seats?.left ?? null, seats?.right ?? null];
        continue;
      }
      [left[at], right[at]] = [seats?.left ?? null, seats?.right ?? null];
      for (const person of members)
        if (boxAt(person, at) !== null) count(isSeenAt(person, at) ? 'shown' : 'away');
    }
  }
  const everybody = everybodyIn(presences, frames);
  for (const there of everybody) if (there.length > 2) count('three or more');
  const context = { geometry, framesPerSecond, everybody };
  const leftViews = paneViews(left, { ...context, other: right });
  const rightViews = paneViews(right, { ...context, other: left });
  return {
    views: whole.map((opacity, at) => ({
      left: leftViews[at] ?? null,
      right: rightViews[at] ?? null,
      whole: opacity,
    })),
    stretches: directed,
    counts,
  };
}

/** Who is there in each frame of the shot. */
function everybodyIn(presences: readonly Presence[], frames: number): Presence[][] {
  const everybody = Array.from({ length: frames }, (): Presence[] => []);
  for (const presence of presences)
    for (const [i, box] of presence.boxes.entries())
      if (box !== null) everybody[presence.from + i]?.push(presence);
  return everybody;
}

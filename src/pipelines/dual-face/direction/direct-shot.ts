import type { PaneLayout } from '../../../domain/recipe.ts';
import type { ScreenViews } from '../composition/screen-views.ts';
import type { Shot } from '../identity/tracklet.ts';
import { castShot } from './cast.ts';
import { castSpeakers } from './cast-speakers.ts';
import type { DirectorOptions } from './director-options.ts';
import { boxAt, isSeenAt, type Presence } from './presence.ts';
import { MAX_PANES, type Seating } from './seating.ts';
import type { Seats } from './seats.ts';
import type { ShotRules } from './shot-rules.ts';
import { shotViews } from './shot-views.ts';
import type { Counts, Situation } from './situations.ts';
import { stretchesOf, type Mode, type Stretch } from './stretches.ts';

/** A stretch of frames of a shot that shows the same people in the same way. */
export interface DirectedStretch {
  readonly from: number;
  readonly to: number;
  readonly mode: Mode | 'crop' | 'whole';
  readonly layout: PaneLayout;
  /** Ids of the people in the panes; null: nobody. Empty if no panes are shown, or crops that the sidecar file asks for. */
  readonly people: readonly (number | null)[];
  /** Whether it is in a span of the sidecar file. */
  readonly isCorrected: boolean;
}

export interface DirectedShot {
  /** Of each frame of the shot. */
  readonly views: readonly ScreenViews[];
  readonly stretches: readonly DirectedStretch[];
  /** Number of frames of each situation; each pane counts separately. */
  readonly counts: Counts;
}

/** Duration of the cross-fade from the panes to the whole image where somebody has left. */
const FADE_SECONDS = 0.4;

/** Decides what a shot, or a part of it, shows. @param presences who is there */
export function directShot(
  shot: Shot,
  presences: readonly Presence[],
  seating: Seating,
  rules: ShotRules,
  { geometryOf, framesPerSecond, speech }: Pick<DirectorOptions, 'geometryOf' | 'framesPerSecond' | 'speech'>,
): DirectedShot {
  const frames = shot.to - shot.from;
  const { layout, single, missing, isCorrected } = rules;
  const allowed = presences.filter(
    ({ personId }) => rules.people.length === 0 || rules.people.includes(personId),
  );
  const panes = MAX_PANES[layout];
  const fewest = Math.min(2, panes);
  const casts =
    layout === 'speaker'
      ? castSpeakers(allowed, speech?.subarray(shot.from, shot.to) ?? null, frames, framesPerSecond)
      : castShot(allowed, panes, frames, framesPerSecond);
  const geometry = geometryOf(layout, Math.max(fewest, Math.min(panes, allowed.length)));
  const stretches = stretchesOf(casts, frames, geometry, framesPerSecond, fewest);
  const showsPanes = ({ mode }: Stretch): boolean =>
    mode === 'panes' || (mode === 'alone' && single === 'own-side' && layout !== 'grid');

  const seated = new Array<Seats>(frames).fill([]);
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
    if (isShown) seats = seating.seat(members, seats, from, rules);
    const ids = isShown ? (seats ?? []).map((person) => person?.personId ?? null) : [];
    const range = { from: shot.from + from, to: shot.from + to };
    directed.push({ ...range, mode, layout, people: ids, isCorrected });
    if (mode !== 'panes') count(mode, to - from);
    const isBlack = mode === 'nobody' && missing === 'black';
    for (let at = from; at < to; at++) {
      if (!isShown) {
        // Only somebody's absence fades in: a face that is hidden must not wait.
        const before = stretches[i - 1];
        const fades = before !== undefined && mode !== 'hidden' && showsPanes(before);
        const opacity = fades
          ? Math.min(1, (at - from + 1) / Math.max(1, FADE_SECONDS * framesPerSecond))
          : 1;
        whole[at] = isBlack ? 0 : opacity;
        if (opacity < 1) seated[at] = seats ?? [];
        continue;
      }
      seated[at] = seats ?? [];
      for (const person of members)
        if (boxAt(person, at) !== null) count(isSeenAt(person, at) ? 'shown' : 'away');
    }
  }
  const everybody = everybodyIn(presences, frames);
  for (const there of everybody) if (there.length > 2) count('three or more');
  const views = shotViews(seated, everybody, layout, { geometryOf, framesPerSecond });
  return {
    views: views.map((ofFrame, at) => ({ layout, panes: ofFrame, whole: whole[at] ?? 0 })),
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

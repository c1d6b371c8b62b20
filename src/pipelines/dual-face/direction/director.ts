import type { Observation } from '../analysis/observation.ts';
import type { ScreenViews } from '../composition/screen-views.ts';
import { peopleOf } from '../identity/people-of.ts';
import type { Person } from '../identity/person.ts';
import { shotsOf, type Shot } from '../identity/tracklet.ts';
import type { DirectorOptions } from './director-options.ts';
import { directShot, type DirectedShot } from './direct-shot.ts';
import { SeatBook } from './seats.ts';

/** What a split screen shows, decided for the whole video at once. */
export interface DirectedVideo {
  /** Of each frame. */
  readonly views: readonly ScreenViews[];
  readonly people: readonly Person[];
  readonly shots: readonly (Shot & Omit<DirectedShot, 'views'>)[];
}

/**
 * Decides what each frame of a video shows, from everything that was seen in it: who is who, who gets which pane in each
 * shot, and the paths of the cameras. Depends on nothing but observations and options.
 *
 * @param onShot called before each shot; its error ends the work
 */
export async function directVideo(
  observations: readonly Observation[],
  options: DirectorOptions,
  onShot: () => Promise<void> = () => Promise.resolve(),
): Promise<DirectedVideo> {
  const shotList = shotsOf(observations);
  const people = peopleOf(observations, shotList);
  const { layout } = options.recipe;
  const seatBook = new SeatBook({ layout, width: options.geometry.width });
  const views: ScreenViews[] = [];
  const shots: DirectedVideo['shots'][number][] = [];
  for (const [i, shot] of shotList.entries()) {
    await onShot();
    const inShot = people
      .map(({ id, tracklets }) => ({ id, tracklets: tracklets.filter((each) => each.shot === i) }))
      .filter(({ tracklets }) => tracklets.length > 0);
    const { views: ofShot, ...directed } = directShot(shot, inShot, seatBook, options);
    for (const each of ofShot) views.push(each);
    shots.push({ ...shot, ...directed });
  }
  return { views, people, shots };
}

import type { Observation } from '../analysis/observation.ts';
import type { ScreenViews } from '../composition/screen-views.ts';
import { peopleOf } from '../identity/people-of.ts';
import type { Person } from '../identity/person.ts';
import { shotsOf, type Shot } from '../identity/tracklet.ts';
import { assertCorrectionsApply, partsOf } from './corrections.ts';
import { directPart } from './direct-part.ts';
import type { DirectorOptions } from './director-options.ts';
import type { DirectedShot } from './direct-shot.ts';
import { presenceIn, presenceInPart } from './presence.ts';
import { Seating } from './seating.ts';
import { addCounts } from './situations.ts';

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
 * @throws InputRejectedError BAD_RECIPE if the corrections of the sidecar file do not fit the video
 */
export async function directVideo(
  observations: readonly Observation[],
  options: DirectorOptions,
  onShot: () => Promise<void> = () => Promise.resolve(),
): Promise<DirectedVideo> {
  const { geometryOf, framesPerSecond, recipe } = options;
  const shotList = shotsOf(observations);
  const people = peopleOf(observations, shotList);
  const { width, height } = geometryOf(recipe.layout, 2);
  assertCorrectionsApply(recipe, { people: people.length, frames: observations.length, width, height });
  const seating = new Seating(width);
  const views: ScreenViews[] = [];
  const shots: DirectedVideo['shots'][number][] = [];
  for (const [i, shot] of shotList.entries()) {
    await onShot();
    const presences = people
      .map(({ id, tracklets }) => ({ id, tracklets: tracklets.filter((each) => each.shot === i) }))
      .map((person) => presenceIn(shot, person, framesPerSecond, recipe.detectEvery, width))
      .filter((presence) => presence !== null);
    const parts = partsOf(shot, recipe.spans ?? []).map((part) => {
      const inPart = presences.map((each) => presenceInPart(each, shot, part));
      const there = inPart.filter((presence) => presence !== null);
      return directPart(part, there, seating, options);
    });
    for (const each of parts.flatMap((part) => part.views)) views.push(each);
    shots.push({
      ...shot,
      stretches: parts.flatMap(({ stretches }) => stretches),
      counts: addCounts(parts.map(({ counts }) => counts)),
    });
  }
  return { views, people, shots };
}

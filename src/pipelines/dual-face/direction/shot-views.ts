import type { PaneLayout } from '../../../domain/recipe.ts';
import { faceHeightsWithout } from '../camera/close-view.ts';
import { HEAD_AND_SHOULDERS, type View, type ViewGeometry } from '../camera/view.ts';
import type { DirectorOptions } from './director-options.ts';
import { median } from './median-boxes.ts';
import { neighboursOf, paneViews } from './pane-views.ts';
import { boxAt, type Presence } from './presence.ts';
import type { Seats } from './seats.ts';

/**
 * The views of all panes in each frame of a shot. Panes have another shape when their number changes, so frames with the
 * same number of panes are taken together.
 *
 * @param seated who is in each pane, in each frame
 * @param everybody who is there, in each frame
 */
export function shotViews(
  seated: readonly Seats[],
  everybody: readonly (readonly Presence[])[],
  layout: PaneLayout,
  { geometryOf, framesPerSecond }: Pick<DirectorOptions, 'geometryOf' | 'framesPerSecond'>,
): (View | null)[][] {
  const views = seated.map((seats): (View | null)[] => seats.map(() => null));
  for (const count of new Set(seated.map(({ length }) => length))) {
    const geometry = geometryOf(layout, count);
    const inRun = seated.map((seats) => (seats.length === count ? seats : []));
    const faceHeights = usualFaceHeights(inRun, everybody, geometry);
    for (let pane = 0; pane < count; pane++) {
      const others = inRun.map((seats) =>
        seats.filter((_, i) => i !== pane).filter((person) => person !== null),
      );
      const shown = inRun.map((seats) => seats[pane] ?? null);
      const context = { geometry, framesPerSecond, everybody, others, faceHeights };
      for (const [at, view] of paneViews(shown, context).entries())
        if (seated[at]?.length === count) views[at]?.splice(pane, 1, view);
    }
  }
  return views;
}

/**
 * Height of all views in heights of the face, so that at most times no neighbour's head is in a pane. It is the same in the whole shot:
 * a camera that comes closer whenever somebody passes by would be restless, and heads of two sizes would look wrong.
 */
function usualFaceHeights(
  seated: readonly Seats[],
  everybody: readonly (readonly Presence[])[],
  geometry: ViewGeometry,
): number {
  const heights = seated.flatMap((seats, at) => {
    const needed = seats.flatMap((person) => {
      const box = person === null ? null : boxAt(person, at);
      if (person === null || box === null) return [];
      return [faceHeightsWithout(box, neighboursOf(person, everybody[at] ?? [], at), geometry)];
    });
    return needed.length === 0 ? [] : [Math.min(...needed)];
  });
  return heights.length === 0 ? HEAD_AND_SHOULDERS : median(heights);
}

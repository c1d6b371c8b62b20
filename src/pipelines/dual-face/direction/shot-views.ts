import type { PaneLayout } from '../../../domain/recipe.ts';
import type { View } from '../camera/view.ts';
import type { DirectorOptions } from './director-options.ts';
import { paneViews } from './pane-views.ts';
import type { Presence } from './presence.ts';
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
    for (let pane = 0; pane < count; pane++) {
      const others = inRun.map((seats) =>
        seats.filter((_, i) => i !== pane).filter((person) => person !== null),
      );
      const shown = inRun.map((seats) => seats[pane] ?? null);
      const context = { geometry, framesPerSecond, everybody, others };
      for (const [at, view] of paneViews(shown, context).entries())
        if (seated[at]?.length === count) views[at]?.splice(pane, 1, view);
    }
  }
  return views;
}

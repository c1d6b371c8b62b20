import type { Span } from '../../../domain/recipe.ts';
import type { Screen, ShownView } from '../composition/screen.ts';
import type { ScreenViews } from '../composition/screen-views.ts';
import { partsOf } from '../direction/corrections.ts';
import type { Shot } from '../identity/tracklet.ts';

/** From this enlargement on, a place is worth enhancing. */
const WORTHWHILE = 1.5;

/** Which places of a frame are enhanced: bit n, up to 7, is the place n of the screen. */
export type EnhancedPlaces = number;

/**
 * The places to enhance in each frame. A place is enhanced for a whole shot or not at all, so that its sharpness does not
 * change while it is seen: if it is enlarged enough in at least half of the frames that show it. The ends of spans of the
 * sidecar file are like cuts.
 */
export function placesToEnhance(
  views: readonly ScreenViews[],
  shots: readonly Shot[],
  screen: Screen,
  spans: readonly Span[] = [],
): EnhancedPlaces[] {
  const places = new Array<EnhancedPlaces>(views.length).fill(0);
  for (const { from, to } of shots.flatMap((shot) => partsOf(shot, spans))) {
    const shown = views.slice(from, to).map((each) => screen.shown(each));
    const worth = worthwhile(shown.flat());
    for (const [i, ofFrame] of shown.entries())
      for (const { place } of ofFrame)
        if (worth.has(place)) places[from + i] = (places[from + i] ?? 0) | (1 << place);
  }
  return places;
}

/** Of the places that a shot shows, those that are enlarged enough. */
function worthwhile(shown: readonly ShownView[]): Set<number> {
  const places = new Set(shown.map(({ place }) => place));
  return new Set(
    [...places].filter((place) => {
      const here = shown.filter((each) => each.place === place);
      const enlarged = here.filter(({ view, pane }) => pane.height / view.height > WORTHWHILE);
      return 2 * enlarged.length >= here.length;
    }),
  );
}

/** Whether a place is among the enhanced ones. */
export function isEnhanced(places: EnhancedPlaces, { place }: Pick<ShownView, 'place'>): boolean {
  return (places & (1 << place)) !== 0;
}

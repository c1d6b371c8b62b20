import type { Span } from '../../../domain/recipe.ts';
import type { ScreenViews } from '../composition/screen-views.ts';
import { viewOfCrop, type ShotPart } from './corrections.ts';
import { directShot, type DirectedShot } from './direct-shot.ts';
import type { DirectorOptions } from './director-options.ts';
import type { Presence } from './presence.ts';
import type { Seating } from './seating.ts';

/** Decides what a part of a shot shows: as a shot of its own, with the rules of its span. @param presences in the part */
export function directPart(
  part: ShotPart,
  presences: readonly Presence[],
  seating: Seating,
  options: DirectorOptions,
): DirectedShot {
  const { span } = part;
  if (span !== null && (span.crops !== undefined || span.layout === 'whole'))
    return directByHand(part, span, options);
  const { recipe } = options;
  const layout = span?.layout ?? recipe.layout;
  const rules = {
    ...recipe,
    layout: layout === 'whole' ? recipe.layout : layout,
    single: span?.single ?? recipe.single ?? 'full',
    people: span?.people ?? recipe.people ?? [],
    isCorrected: span !== null,
  };
  return directShot(part, presences, seating, rules, options);
}

/** Shows the crops of a span, or the whole image. */
function directByHand(
  { from, to }: ShotPart,
  span: Span,
  { geometryOf, recipe }: DirectorOptions,
): DirectedShot {
  const layout = span.layout === undefined || span.layout === 'whole' ? recipe.layout : span.layout;
  const { crops = [] } = span;
  const geometry = geometryOf(layout, crops.length);
  const isWhole = crops.length === 0;
  const shown: ScreenViews = {
    layout,
    panes: crops.map((crop) => viewOfCrop(crop, geometry)),
    whole: isWhole ? 1 : 0,
  };
  const mode = isWhole ? 'whole' : 'crop';
  return {
    views: new Array<ScreenViews>(to - from).fill(shown),
    stretches: [{ from, to, mode, layout, people: [], isCorrected: true }],
    counts: { [mode]: to - from },
  };
}

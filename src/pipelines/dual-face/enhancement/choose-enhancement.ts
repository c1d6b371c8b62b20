import { EngineError } from '../../../domain/errors.ts';
import { namedEnhancer, type DualFaceRecipe } from '../../../domain/recipe.ts';
import { counted } from '../../../lib/counted.ts';
import { withoutFullStop } from '../../../lib/without-full-stop.ts';
import type { Screen } from '../composition/screen.ts';
import type { ScreenViews } from '../composition/screen-views.ts';
import type { DirectedVideo } from '../direction/director.ts';
import { isEnhanced, placesToEnhance, type EnhancedPlaces } from './enhanced-places.ts';
import type { Enhancer } from './enhancer.ts';
import type { OptionalEnhancer } from './optional-enhancer.ts';

/** With `auto`, the model may take this many times the length of the video. */
const SLOWEST = 4;

export interface EnhancementOptions {
  readonly recipe: DualFaceRecipe;
  readonly framesPerSecond: number;
  readonly screen: Screen;
  readonly enhancer: OptionalEnhancer;
}

/** What is enhanced in a video, for its directions, the log and the report. */
export interface Enhancement {
  /** Of each frame. */
  readonly places: readonly EnhancedPlaces[];
  /** A clause for the log; null: there is nothing to enhance. */
  readonly clause: string | null;
}

/**
 * Decides what is enhanced in a video. A model that the recipe names enhances everything that is enlarged enough; with
 * `auto`, an engine must be able to run the model, and fast enough for all of it.
 */
export async function chooseEnhancement(
  { views, shots }: Pick<DirectedVideo, 'views' | 'shots'>,
  options: EnhancementOptions,
  signal: AbortSignal,
): Promise<Enhancement> {
  const { recipe, screen, enhancer } = options;
  const none = views.map(() => 0);
  if (!enhancer.isWanted) return { places: none, clause: null };
  const places = placesToEnhance(views, shots, screen, recipe.spans);
  const frames = countEnhanced(places);
  if (frames === 0) return { places, clause: null };
  const isRequired = namedEnhancer(recipe) !== null;
  try {
    const opened = await enhancer.open();
    const why = isRequired ? null : await whyTooSlow(opened, views, places, options, signal);
    if (why === null)
      return { places, clause: `close-ups enhanced in ${counted(frames, 'frame')} by ${opened.summary}` };
    await enhancer.close();
    return { places: none, clause: `close-ups not enhanced, because ${why}` };
  } catch (error) {
    if (isRequired || !(error instanceof EngineError)) throw error;
    return { places: none, clause: `close-ups not enhanced: ${withoutFullStop(error.message)}` };
  }
}

/** Number of frames in which anything is enhanced. */
export function countEnhanced(places: readonly EnhancedPlaces[]): number {
  return places.filter((each) => each !== 0).length;
}

/** Why a model is too slow for all that would be enhanced, as a clause; null if it is not. */
async function whyTooSlow(
  enhancer: Enhancer,
  views: readonly ScreenViews[],
  places: readonly EnhancedPlaces[],
  { screen, framesPerSecond }: EnhancementOptions,
  signal: AbortSignal,
): Promise<string | null> {
  const windows = views.flatMap((each, i) =>
    screen
      .shown(each)
      .filter((shown) => isEnhanced(places[i] ?? 0, shown))
      .map((shown) => enhancer.windowOf(shown)),
  );
  const [first] = windows;
  if (first === undefined) return null;
  const pixels = windows.reduce((sum, { width, height }) => sum + width * height, 0);
  const modelMs = pixels * (await enhancer.measure(first, signal));
  const times = (modelMs * framesPerSecond) / (1000 * views.length);
  if (times <= SLOWEST) return null;
  const { modelName } = enhancer;
  return `${modelName} would take ${times < 10 ? times.toFixed(1) : Math.round(times)} times the length of the video here, and auto allows ${SLOWEST}; to enhance them anyway, set enhance to ${modelName}`;
}

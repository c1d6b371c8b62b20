import { outputPixels } from '../domain/estimate.ts';
import type { Recipe } from '../domain/recipe.ts';
import { measuredTime, splitScreenTime, type MeasuredTime } from '../domain/speed.ts';
import type { VideoShape } from '../domain/video-shape.ts';
import { chooseTile } from '../pipelines/upscale/choose-tile.ts';
import { planTiles } from '../pipelines/upscale/tiles.ts';
import type { SpeedRequest } from './speed-request.ts';
import type { Speeds } from './speeds-file.ts';

/**
 * The time that a job needs by what was measured; null if the model of its recipe was not.
 *
 * @param request null for `lanczos`
 * @param freeBytes memory that inference may use on the CPU
 */
export function recipeTime(
  recipe: Recipe,
  video: Pick<VideoShape, 'width' | 'height'>,
  request: SpeedRequest | null,
  { core, models }: Speeds,
  freeBytes: number,
): MeasuredTime | null {
  const model = request === null ? null : models[request.key];
  if (core === null || model === undefined || recipe.pipeline === 'lip-sync') return null;
  if (recipe.pipeline === 'dual-face') {
    const [sourcePixels, pixels] = [video.width * video.height, outputPixels(recipe, video)];
    return model === null ? null : splitScreenTime({ sourcePixels, pixels }, model, core);
  }
  if (model === null || request === null)
    return measuredTime(recipe, video, { model: null, core, windowPixels: 0 });
  const { width, height } = video;
  const { overlap } = request;
  const memoryBytes = model.memoryBytes ?? freeBytes;
  const tile = chooseTile({ requested: recipe.tile, width, height, model: request, memoryBytes });
  const tiles = planTiles(width, height, tile, overlap);
  const windowPixels = tiles.reduce((sum, { window }) => sum + window.width * window.height, 0);
  return measuredTime(recipe, video, { model, core, windowPixels });
}

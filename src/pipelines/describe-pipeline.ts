import type { MediaInfo, YuvFormat } from '../domain/media-info.ts';
import type { Recipe } from '../domain/recipe.ts';
import { splitScreenFormats } from './dual-face/split-screen-formats.ts';
import type { PipelineFormats } from './frame-pipeline.ts';
import { lipSyncFormats } from './lip-sync/lip-sync-formats.ts';
import { upscaledFormats } from './upscale/upscaled-format.ts';

/** What a job has to know about the pipeline of its recipe before the pipeline is opened. */
export interface PipelineDescription {
  readonly formats: PipelineFormats;
  /** Whether the whole video is analysed before the first frame is processed. */
  readonly hasAnalysis: boolean;
}

/**
 * Describes the pipeline of a recipe for one source, without loading anything.
 *
 * @param decodedTo as in the plan of the job
 */
export function describePipeline(
  recipe: Recipe,
  source: Pick<MediaInfo, 'video'>,
  decodedTo?: YuvFormat,
): PipelineDescription {
  if (recipe.pipeline === 'lip-sync') return { formats: lipSyncFormats(source), hasAnalysis: true };
  return recipe.pipeline === 'upscale'
    ? { formats: upscaledFormats(source, recipe.scale, decodedTo), hasAnalysis: false }
    : { formats: splitScreenFormats(source, recipe), hasAnalysis: true };
}

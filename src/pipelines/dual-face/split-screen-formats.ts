import type { MediaInfo } from '../../domain/media-info.ts';
import type { DualFaceRecipe } from '../../domain/recipe.ts';
import type { PipelineFormats } from '../frame-pipeline.ts';

/** Frame formats of a split screen: the output has the recipe's size. Sources of more than 8 bits keep their depth. */
export function splitScreenFormats(
  { video }: Pick<MediaInfo, 'video'>,
  { width, height }: Pick<DualFaceRecipe, 'width' | 'height'>,
): PipelineFormats {
  const pixelFormat = video.bitsPerComponent > 8 ? 'rgb48le' : 'rgb24';
  return {
    input: { width: video.width, height: video.height, pixelFormat },
    output: { width, height, pixelFormat },
    outputAspect: { num: 1, den: 1 },
  };
}

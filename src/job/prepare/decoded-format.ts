import type { Settings } from '../../config/settings.ts';
import type { Chroma, MediaInfo, YuvFormat } from '../../domain/media-info.ts';
import type { Recipe } from '../../domain/recipe.ts';
import type { WantedContainer } from '../../media/join/stream-plan.ts';
import { chromaOf } from '../../media/probe/stream-info.ts';
import { describePipeline } from '../../pipelines/describe-pipeline.ts';

/** Chroma subsampling of the output of a new job. */
export function chooseChroma(
  { encoder }: Settings,
  { video }: Pick<MediaInfo, 'video'>,
  container?: WantedContainer,
): Chroma {
  // The segments of a GIF keep every colour until the palette is chosen.
  if (container === 'gif') return '444';
  return encoder.chroma === 'source' ? chromaOf(video.pixelFormat) : '420';
}

/**
 * Format in which the decoder of a new job delivers frames of the final size, ready to encode; undefined where a pipeline
 * needs RGB. See docs/decisions/0056-who-resizes-frames.md.
 */
export function chooseDecodedTo(
  recipe: Recipe,
  media: Pick<MediaInfo, 'video'>,
  chroma: Chroma,
): YuvFormat | undefined {
  if (recipe.pipeline !== 'upscale' || recipe.model !== 'lanczos') return undefined;
  const { input, output } = describePipeline(recipe, media).formats;
  // At the same size ffmpeg copies the planes, even where chroma samples have to move.
  if (input.width === output.width && input.height === output.height) return undefined;
  return `yuv${chroma}p${media.video.bitsPerComponent > 8 ? '10le' : ''}`;
}

import type { MediaInfo } from '../../domain/media-info.ts';
import type { PipelineFormats } from '../frame-pipeline.ts';

/**
 * Frame formats of an upscaling job. Sources of more than 8 bits are processed with 16 bits per component. Width and
 * height of a video are rounded to even numbers, as 4:2:0 requires.
 */
export function upscaledFormats({ video }: Pick<MediaInfo, 'video'>, scale: number): PipelineFormats {
  const { width, height, bitsPerComponent, isStill } = video;
  const round = isStill ? Math.round : toEven;
  const pixelFormat = bitsPerComponent > 8 ? 'rgb48le' : 'rgb24';
  return {
    input: { width, height, pixelFormat },
    output: { width: round(width * scale), height: round(height * scale), pixelFormat },
    outputAspect: video.sampleAspectRatio,
  };
}

function toEven(length: number): number {
  return Math.max(2, Math.round(length / 2) * 2);
}

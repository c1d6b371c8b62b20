import type { MediaInfo } from '../../domain/media-info.ts';
import type { PipelineFormats } from '../frame-pipeline.ts';

/**
 * Frame formats of an upscaling. Sources of more than 8 bits travel with 16 bits a component. The output's edges are
 * rounded to even numbers, which 4:2:0 needs.
 */
export function upscaledFormats({ video }: Pick<MediaInfo, 'video'>, scale: number): PipelineFormats {
  const { width, height, bitsPerComponent } = video;
  const pixelFormat = bitsPerComponent > 8 ? 'rgb48le' : 'rgb24';
  return {
    input: { width, height, pixelFormat },
    output: { width: toEven(width * scale), height: toEven(height * scale), pixelFormat },
    outputAspect: video.sampleAspectRatio,
  };
}

function toEven(length: number): number {
  return Math.max(2, Math.round(length / 2) * 2);
}

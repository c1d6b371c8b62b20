import type { FrameFormat, MediaInfo, YuvFormat } from '../../domain/media-info.ts';
import type { PipelineFormats } from '../frame-pipeline.ts';

/**
 * Frame formats of an upscaling job. Sources of more than 8 bits are processed with 16 bits per component. Width and
 * height of a video are rounded to even numbers, as 4:2:0 requires.
 *
 * @param decodedTo format in which the decoder delivers frames of the final size; absent: RGB of the size of the source
 */
export function upscaledFormats(
  { video }: Pick<MediaInfo, 'video'>,
  scale: number,
  decodedTo?: YuvFormat,
): PipelineFormats {
  const { width, height, bitsPerComponent, isStill } = video;
  const round = isStill ? Math.round : toEven;
  const pixelFormat = bitsPerComponent > 8 ? 'rgb48le' : 'rgb24';
  const size = { width: round(width * scale), height: round(height * scale) };
  const output: FrameFormat = { ...size, pixelFormat: decodedTo ?? pixelFormat };
  return {
    input: decodedTo === undefined ? { width, height, pixelFormat } : output,
    output,
    outputAspect: video.sampleAspectRatio,
  };
}

function toEven(length: number): number {
  return Math.max(2, Math.round(length / 2) * 2);
}

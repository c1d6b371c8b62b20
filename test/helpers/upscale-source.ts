import type { MediaInfo } from '../../src/domain/media-info.ts';
import type { Frame, FramePipeline } from '../../src/pipelines/frame-pipeline.ts';
import { upscaledFormats } from '../../src/pipelines/upscale/upscaled-format.ts';
import type { Image } from './images.ts';

/** What a probe reports for a simple video of this size. */
export function sourceOf(width: number, height: number, bitsPerComponent = 8): MediaInfo {
  return {
    path: '/nowhere/clip.mp4',
    container: 'mov',
    durationSeconds: 1,
    startSeconds: 0,
    bytes: 1,
    video: {
      isStill: false,
      index: 0,
      codec: 'h264',
      width,
      height,
      pixelFormat: 'yuv420p',
      bitsPerComponent,
      timeBase: { num: 1, den: 25 },
      averageFrameRate: null,
      sampleAspectRatio: { num: 1, den: 1 },
      rotationDegrees: 0,
      mirrored: false,
      color: { range: null, matrix: null, primaries: null, transfer: null, chromaLocation: null },
      interlaced: false,
      hasAlpha: false,
      hdr: null,
      dynamicHdr: null,
      durationSeconds: null,
      startSeconds: null,
      dispositions: [],
    },
    others: [],
    chapterCount: 0,
    tagNames: [],
  };
}

/** Frames numbered from 0. */
export function framesOf(...pixels: readonly Buffer[]): Frame[] {
  return pixels.map((each, number) => ({ number, pixels: each }));
}

/** Runs a pipeline on one image and returns its output. */
export async function upscaleOne(
  pipeline: FramePipeline,
  scale: number,
  { pixels, format }: Image,
): Promise<Image> {
  const source = sourceOf(format.width, format.height);
  try {
    await pipeline.open(source);
    for await (const frame of pipeline.process(framesOf(pixels), null, new AbortController().signal)) {
      return { pixels: frame.pixels, format: upscaledFormats(source, scale).output };
    }
    throw new Error('The pipeline returned no frame.');
  } finally {
    await pipeline.close();
  }
}

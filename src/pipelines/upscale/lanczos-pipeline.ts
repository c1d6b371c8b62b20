import type { MediaInfo, YuvFormat } from '../../domain/media-info.ts';
import type { Frame, FramePipeline, PipelineFormats } from '../frame-pipeline.ts';
import { resample } from './resample.ts';
import { upscaledFormats } from './upscaled-format.ts';

/**
 * Resamples frames with a Lanczos filter, without a model or an engine. Frames that the decoder has resampled pass
 * unchanged; others are still images, and videos whose job began with an older version.
 */
export class LanczosPipeline implements FramePipeline {
  readonly reducedTile = null;
  readonly summary: string;
  readonly passesFramesOn: boolean;
  readonly #scale: number;
  readonly #decodedTo: YuvFormat | undefined;
  #formats: PipelineFormats | null = null;

  /** @param decodedTo format in which the decoder delivers frames of the final size; absent: RGB of the size of the source */
  constructor(scale: number, decodedTo?: YuvFormat) {
    this.#scale = scale;
    this.#decodedTo = decodedTo;
    this.passesFramesOn = decodedTo !== undefined;
    const by = decodedTo === undefined ? '' : ' by ffmpeg while decoding';
    this.summary = `Lanczos resampling with three lobes${by}, no model`;
  }

  open(source: MediaInfo): Promise<void> {
    this.#formats = upscaledFormats(source, this.#scale, this.#decodedTo);
    return Promise.resolve();
  }

  async *process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    _direction: null,
    signal: AbortSignal,
  ): AsyncIterable<Frame> {
    const formats = this.#formats;
    if (formats === null) throw new TypeError('The pipeline is not open.');
    for await (const { number, pixels } of frames) {
      signal.throwIfAborted();
      yield { number, pixels: resample(pixels, formats.input, formats.output) };
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

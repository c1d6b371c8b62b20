import type { MediaInfo } from '../../domain/media-info.ts';
import type { Frame, FramePipeline, PipelineFormats } from '../frame-pipeline.ts';
import { resample } from './resample.ts';
import { upscaledFormats } from './upscaled-format.ts';

/** Resamples frames with a Lanczos filter, without a model or an engine. */
export class LanczosPipeline implements FramePipeline {
  readonly reducedTile = null;
  readonly summary = 'Lanczos resampling with three lobes, no model';
  readonly #scale: number;
  #formats: PipelineFormats | null = null;

  constructor(scale: number) {
    this.#scale = scale;
  }

  open(source: MediaInfo): Promise<void> {
    this.#formats = upscaledFormats(source, this.#scale);
    return Promise.resolve();
  }

  async *process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    _state: null,
    signal: AbortSignal,
  ): AsyncIterable<Frame> {
    const formats = this.#formats;
    if (formats === null) throw new TypeError('The pipeline is not open.');
    for await (const { number, pixels } of frames) {
      signal.throwIfAborted();
      yield { number, pixels: resample(pixels, formats.input, formats.output) };
    }
  }

  snapshot(): null {
    return null;
  }

  conclusion(): null {
    return null;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

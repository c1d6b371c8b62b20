import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import { needsWholeFrames } from '../../domain/models.ts';
import type { UpscaleRecipe } from '../../domain/recipe.ts';
import { whyNotOnGpu } from '../../inference/load-model.ts';
import { foldScale2 } from '../../inference/models/fold-scale-2.ts';
import { readUpscaler } from '../../inference/models/read-upscaler.ts';
import { isWebGpu } from '../../inference/webgpu/webgpu-engine.ts';
import type { Frame, FramePipeline, ReducedTile } from '../frame-pipeline.ts';
import type { ModelPipelineNeeds } from '../pipeline-needs.ts';
import { ChangedBlocks } from './changed-blocks.ts';
import { divideFrames } from './divide-frames.ts';
import { Upscaler } from './upscaler.ts';
import type { Tile } from './tiles.ts';
import type { PreviousFrame, UpscaledFrame } from './upscale-tiles.ts';
import { resample } from './resample.ts';
import { isShrinkable, shrink } from './shrink.ts';
import { upscaledFormats } from './upscaled-format.ts';

export interface ModelPipelineOptions extends ModelPipelineNeeds {
  readonly recipe: UpscaleRecipe;
}

interface OpenPipeline {
  readonly upscaler: Upscaler;
  readonly input: FrameFormat;
  readonly output: FrameFormat;
}

interface Begun {
  readonly source: Buffer;
  /** At the scale of the model; null where tiles are not reused, because it may take hundreds of megabytes. */
  readonly upscaled: PreviousFrame['upscaled'] | null;
  /** In the format of the output. */
  readonly output: Promise<Buffer>;
}

interface Pending {
  readonly number: number;
  readonly pixels: Promise<Buffer>;
}

/**
 * Upscales frames with a super-resolution model, whole or tile by tile. A frame that equals the one before it, byte
 * for byte, is not inferred again, and neither are its tiles.
 *
 * How the frames of a batch are divided into tiles follows from these frames alone, and a tile has one result, whether
 * computed or copied: so it makes no difference where a resumed job continues.
 */
export class ModelPipeline implements FramePipeline {
  summary = '';
  readonly #options: ModelPipelineOptions;
  #open: OpenPipeline | null = null;
  #division: readonly Tile[] | null = null;
  #previous: Begun | null = null;

  constructor(options: ModelPipelineOptions) {
    this.#options = options;
  }

  get reducedTile(): ReducedTile | null {
    return this.#open?.upscaler.reducedTile ?? null;
  }

  get usesWebGpu(): boolean {
    return this.#open !== null && isWebGpu(this.#open.upscaler.current.engine);
  }

  async open(source: MediaInfo): Promise<void> {
    const { recipe, model, ...options } = this.#options;
    const file = await readUpscaler(model);
    const folded = recipe.scale === 2 ? foldScale2(file, model.name) : null;
    const { input, output } = upscaledFormats(source, recipe.scale);
    const { device } = recipe;
    const onnx = folded ?? file;
    const upscaler = await Upscaler.open({
      ...options,
      model: onnx,
      device,
      overlap: model.overlap,
      input,
      wholeFrames: needsWholeFrames(model),
      findsSizes: model.architecture === null,
    });
    const warning = whyNotOnGpu(device, upscaler.current);
    if (warning !== null) options.onStepDown(warning);
    this.#open = { upscaler, input, output };
    this.summary = this.#describeWork(upscaler, folded !== null, output);
  }

  async lookAhead(frames: AsyncIterable<Frame> | Iterable<Frame>, signal: AbortSignal): Promise<void> {
    const open = this.#open;
    if (open === null) throw new TypeError('The pipeline is not open.');
    const division = this.#mayDivide ? await this.#divide(open, frames, signal) : null;
    if (isDeepStrictEqual(division, this.#division)) return;
    this.#division = division;
    // Its pixels may differ in the last bit from what other tiles give.
    this.#previous = null;
  }

  /** A model of unknown architecture may accept only certain sizes, even if an older plan would divide its frames. */
  get #mayDivide(): boolean {
    return this.#options.reusesTiles === true && this.#options.model.architecture !== null;
  }

  async #divide(
    { upscaler, input }: OpenPipeline,
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    signal: AbortSignal,
  ): Promise<readonly Tile[] | null> {
    if (!upscaler.isDivisible) return null;
    const changes: ChangedBlocks[] = [];
    let before: Buffer | null = null;
    for await (const { pixels } of frames) {
      signal.throwIfAborted();
      if (before !== null) changes.push(new ChangedBlocks(before, pixels, input));
      before = pixels;
      // Other jobs share this thread.
      await setImmediate();
    }
    return divideFrames(changes, input, this.#options.model.overlap);
  }

  async *process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    _direction: null,
    signal: AbortSignal,
  ): AsyncIterable<Frame> {
    const open = this.#open;
    if (open === null) throw new TypeError('The pipeline is not open.');
    const pending: Pending[] = [];
    try {
      for await (const frame of frames) {
        signal.throwIfAborted();
        pending.push({ number: frame.number, pixels: this.#begin(open, frame, signal) });
        const atOnce = open.upscaler.current.model.concurrency ?? 1;
        while (pending.length >= atOnce) yield await takeFirst(pending);
      }
      while (pending.length > 0) yield await takeFirst(pending);
    } finally {
      // After an early exit, pending work still reads its frame and uses the model.
      await Promise.allSettled(pending.map(({ pixels }) => pixels));
    }
  }

  /** Starts the work on a frame; a frame that equals the previous one gets its result. */
  #begin(open: OpenPipeline, { number, pixels }: Frame, signal: AbortSignal): Promise<Buffer> {
    const previous = this.#previous;
    if (previous?.source.equals(pixels)) {
      this.#options.onReused?.(1);
      return previous.output;
    }
    const { upscaler } = open;
    const upscaled = upscaler.upscale(pixels, signal, this.#division, reusableOf(previous));
    const output = this.#finish(open, upscaled, number);
    const isReusable = this.#options.reusesTiles === true && upscaler.canReuseTiles(this.#division);
    const begun = { source: pixels, upscaled: isReusable ? upscaled : null, output };
    this.#previous = begun;
    // Both are awaited later; an earlier failure must not count as unhandled, and its result must not be reused.
    upscaled.catch(() => undefined);
    output.catch(() => {
      if (this.#previous === begun) this.#previous = null;
    });
    return output;
  }

  async #finish(
    { upscaler, output }: OpenPipeline,
    upscaled: Promise<UpscaledFrame>,
    number: number,
  ): Promise<Buffer> {
    const { pixels, reusedShare } = await upscaled;
    this.#options.onInferred(number);
    this.#options.onReused?.(reusedShare);
    return this.#resize(pixels, upscaler.current.upscaled, output);
  }

  /** Brings a frame from the model's scale to the requested one. */
  #resize(pixels: Buffer, from: FrameFormat, to: FrameFormat): Buffer | Promise<Buffer> {
    const bySharp = this.#options.shrinksWith === 'sharp' && isShrinkable(from, to);
    return bySharp ? shrink(pixels, from, to) : resample(pixels, from, to);
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.upscaler.close();
  }

  #describeWork({ current }: Upscaler, folded: boolean, output: FrameFormat): string {
    const { recipe, model } = this.#options;
    const { engine, scale, reason, upscaled, tile } = current;
    const tiling = tile === null ? 'whole frames' : `tiles of ${tile} px with ${model.overlap} px overlap`;
    const fold = folded ? ', downscaling to 2x merged into its last layer' : '';
    const resampled =
      upscaled.width === output.width && upscaled.height === output.height
        ? ''
        : `, resampled from ${scale}x to ${recipe.scale}x`;
    const why = reason === null ? '' : ` (device ${recipe.device}: ${reason})`;
    const detail = current.model.detail === undefined ? '' : ` (${current.model.detail})`;
    const sizes = current.model.sizes === undefined ? '' : `, which takes ${current.model.sizes},`;
    return `${model.name}${sizes} with ${engine.name}${detail}${why}, ${tiling}${fold}${resampled}`;
  }
}

function reusableOf(previous: Begun | null): PreviousFrame | null {
  if (previous === null || previous.upscaled === null) return null;
  return { source: previous.source, upscaled: previous.upscaled };
}

async function takeFirst(pending: Pending[]): Promise<Frame> {
  const [first] = pending;
  if (first === undefined) throw new TypeError('No frame is pending.');
  const pixels = await first.pixels;
  pending.shift();
  return { number: first.number, pixels };
}

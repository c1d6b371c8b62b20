import { readFile } from 'node:fs/promises';
import type { FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import type { UpscaleRecipe } from '../../domain/recipe.ts';
import { foldScale2 } from '../../inference/networks/fold-scale-2.ts';
import type { Frame, FramePipeline, PipelineFormats } from '../frame-pipeline.ts';
import type { NetworkPipelineNeeds } from '../pipeline-needs.ts';
import { Enlarger } from './enlarger.ts';
import { resample } from './resample.ts';
import { upscaledFormats } from './upscaled-format.ts';

export interface NetworkPipelineOptions extends NetworkPipelineNeeds {
  readonly recipe: UpscaleRecipe;
}

interface OpenPipeline {
  readonly enlarger: Enlarger;
  readonly output: FrameFormat;
}

interface Pending {
  readonly number: number;
  readonly pixels: Promise<Buffer>;
}

/**
 * Upscales frames with a super-resolution network, whole or tile by tile. A frame that equals the one before it, byte
 * for byte, is not inferred again (B6).
 */
export class NetworkPipeline implements FramePipeline {
  readonly hasState = false;
  summary = '';
  readonly #options: NetworkPipelineOptions;
  #open: OpenPipeline | null = null;
  #previous: { readonly input: Buffer; readonly output: Promise<Buffer> } | null = null;

  constructor(options: NetworkPipelineOptions) {
    this.#options = options;
  }

  describe(source: MediaInfo): PipelineFormats {
    return upscaledFormats(source, this.#options.recipe.scale);
  }

  async open(source: MediaInfo): Promise<void> {
    const { recipe, network, ...options } = this.#options;
    const file = await readFile(network.path);
    const folded = recipe.scale === 2 ? foldScale2(file, network.name) : null;
    const { input, output } = this.describe(source);
    const { device } = recipe;
    const model = folded ?? file;
    const enlarger = await Enlarger.open({ ...options, model, device, overlap: network.overlap, input });
    this.#open = { enlarger, output };
    this.summary = this.#describeWork(enlarger, folded !== null, output);
  }

  async *process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    _state: null,
    signal: AbortSignal,
  ): AsyncIterable<Frame> {
    const open = this.#open;
    if (open === null) throw new TypeError('The pipeline is not open.');
    const pending: Pending[] = [];
    try {
      for await (const frame of frames) {
        signal.throwIfAborted();
        pending.push({ number: frame.number, pixels: this.#begin(open, frame, signal) });
        const atOnce = open.enlarger.current.network.concurrency ?? 1;
        while (pending.length >= atOnce) yield await takeFirst(pending);
      }
      while (pending.length > 0) yield await takeFirst(pending);
    } finally {
      // Broken off: what is under way still reads its frame and uses the network.
      await Promise.allSettled(pending.map(({ pixels }) => pixels));
    }
  }

  /** Starts a frame's work; a frame that equals the one before it gets that one's pixels. */
  #begin(
    { enlarger, output }: OpenPipeline,
    { number, pixels }: Frame,
    signal: AbortSignal,
  ): Promise<Buffer> {
    if (this.#previous?.input.equals(pixels)) return this.#previous.output;
    const work = (async () => {
      const enlarged = await enlarger.enlarge(pixels, signal);
      this.#options.onInferred(number);
      return resample(enlarged, enlarger.current.enlarged, output);
    })();
    const previous = { input: pixels, output: work };
    this.#previous = previous;
    // It is awaited when its turn comes; a failure before then is not an unhandled one, and no result to use again.
    work.catch(() => {
      if (this.#previous === previous) this.#previous = null;
    });
    return work;
  }

  snapshot(): null {
    return null;
  }

  conclusion(): null {
    return null;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.enlarger.close();
  }

  #describeWork({ current }: Enlarger, folded: boolean, output: FrameFormat): string {
    const { recipe, network } = this.#options;
    const { engine, scale, reason, enlarged, tile } = current;
    const tiling = tile === null ? 'whole frames' : `tiles of ${tile} px with ${network.overlap} px around`;
    const fold = folded ? ', scale 2 folded into its last layer' : '';
    const resampled =
      enlarged.width === output.width && enlarged.height === output.height
        ? ''
        : `, its ${scale}x resampled to ${recipe.scale}x`;
    const why = reason === null || recipe.device === 'cpu' ? '' : ` (device ${recipe.device}: ${reason})`;
    return `${network.name} by ${engine.name}${why}, ${tiling}${fold}${resampled}`;
  }
}

async function takeFirst(pending: Pending[]): Promise<Frame> {
  const [first] = pending;
  if (first === undefined) throw new TypeError('No frame is under way.');
  const pixels = await first.pixels;
  pending.shift();
  return { number: first.number, pixels };
}

import { readFile } from 'node:fs/promises';
import { EngineError } from '../../domain/errors.ts';
import { frameBytes, type FrameFormat, type MediaInfo } from '../../domain/media-info.ts';
import type { NetworkFile } from '../../domain/networks.ts';
import type { UpscaleRecipe } from '../../domain/recipe.ts';
import type { Engine } from '../../inference/engine.ts';
import { loadNetwork, type ReadyNetwork } from '../../inference/load-network.ts';
import { foldScale2 } from '../../inference/networks/fold-scale-2.ts';
import type { Frame, FramePipeline } from '../frame-pipeline.ts';
import { asComponents, maxComponent, readPlanes, writePlanes } from './pixels.ts';
import { resample } from './resample.ts';
import { planTiles, type Tile } from './tiles.ts';
import { upscaledFormats } from './upscaled-format.ts';

export interface NetworkPipelineOptions {
  readonly recipe: UpscaleRecipe;
  readonly network: NetworkFile;
  /** Edge of a tile in source pixels; null: whole frames. */
  readonly tile: number | null;
  readonly threads: number;
  readonly engines: readonly Engine[];
  /** Called for each frame that the network really ran on. */
  readonly onInferred: (frameNumber: number) => void;
}

/** After so many failures for want of memory the error goes up (B5). */
const MEMORY_TRIES = 3;
const MEMORY_STEP = 0.7;
/** A tile smaller than this is mostly overlap: memory that is short by more is not ours to save. */
const SMALLEST_TILE = 32;

interface OpenPipeline extends ReadyNetwork {
  readonly input: FrameFormat;
  readonly output: FrameFormat;
  /** What the network gives, before it is resampled to what was asked for. */
  readonly enlarged: FrameFormat;
}

/**
 * Upscales frames with a super-resolution network, whole or tile by tile. A frame that equals the one before it, byte
 * for byte, is not inferred again (B6).
 */
export class NetworkPipeline implements FramePipeline {
  summary = '';
  readonly #options: NetworkPipelineOptions;
  #tile: number | null;
  #open: OpenPipeline | null = null;
  #previous: { readonly input: Buffer; readonly output: Buffer } | null = null;

  constructor(options: NetworkPipelineOptions) {
    this.#options = options;
    this.#tile = options.tile;
  }

  describe(source: MediaInfo): { input: FrameFormat; output: FrameFormat } {
    return upscaledFormats(source, this.#options.recipe.scale);
  }

  async open(source: MediaInfo): Promise<void> {
    const { recipe, network, engines, threads } = this.#options;
    const file = await readFile(network.path);
    const folded = recipe.scale === 2 ? foldScale2(file, network.name) : null;
    const ready = await loadNetwork(folded ?? file, recipe.device, engines, { threads });
    const formats = this.describe(source);
    const { width, height, pixelFormat } = formats.input;
    const enlarged = { width: width * ready.scale, height: height * ready.scale, pixelFormat };
    this.#open = { ...ready, ...formats, enlarged };
    this.summary = this.#describeWork(ready, folded !== null, enlarged, formats.output);
  }

  async *process(frames: AsyncIterable<Frame> | Iterable<Frame>, signal: AbortSignal): AsyncIterable<Frame> {
    const open = this.#open;
    if (open === null) throw new TypeError('The pipeline is not open.');
    for await (const { number, pixels } of frames) {
      signal.throwIfAborted();
      if (this.#previous === null || !this.#previous.input.equals(pixels)) {
        const enlarged = await this.#enlarge(open, pixels, signal);
        this.#options.onInferred(number);
        this.#previous = { input: pixels, output: resample(enlarged, open.enlarged, open.output) };
      }
      yield { number, pixels: this.#previous.output };
    }
  }

  snapshot(): null {
    return null;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.network.dispose();
  }

  /** One frame through the network; with less memory than hoped, in smaller tiles. */
  async #enlarge(open: OpenPipeline, pixels: Buffer, signal: AbortSignal): Promise<Buffer> {
    for (let failures = 1; ; failures++) {
      try {
        return await this.#runTiles(open, pixels, signal);
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== 'OUT_OF_MEMORY' || failures > MEMORY_TRIES)
          throw error;
        // From the edge that the tiles really had: evened out over the frame they may be far below the wish.
        const edges = this.#tiles(open.input).map(({ core }) => Math.max(core.width, core.height));
        this.#tile = Math.max(SMALLEST_TILE, Math.floor(Math.max(...edges) * MEMORY_STEP));
      }
    }
  }

  async #runTiles(open: OpenPipeline, pixels: Buffer, signal: AbortSignal): Promise<Buffer> {
    const { network, scale, input, enlarged } = open;
    const max = maxComponent(input);
    const source = asComponents(pixels, input);
    const result = Buffer.allocUnsafeSlow(frameBytes(enlarged));
    const target = asComponents(result, enlarged);
    for (const { window, core } of this.#tiles(input)) {
      signal.throwIfAborted();
      const planes = new Float32Array(3 * window.width * window.height);
      readPlanes(source, input.width, window, max, planes);
      const { data, shape } = await network.run({ data: planes, shape: [1, 3, window.height, window.width] });
      writePlanes(
        { data, width: shape[3], height: shape[2] },
        {
          x: (core.x - window.x) * scale,
          y: (core.y - window.y) * scale,
          width: core.width * scale,
          height: core.height * scale,
        },
        { x: core.x * scale, y: core.y * scale },
        target,
        enlarged.width,
        max,
      );
    }
    return result;
  }

  #tiles({ width, height }: FrameFormat): Tile[] {
    return planTiles(width, height, this.#tile, this.#options.network.overlap);
  }

  #describeWork(
    { engine, scale, reason }: ReadyNetwork,
    folded: boolean,
    enlarged: FrameFormat,
    output: FrameFormat,
  ): string {
    const { recipe, network } = this.#options;
    const tiling =
      this.#tile === null ? 'whole frames' : `tiles of ${this.#tile} px with ${network.overlap} px around`;
    const fold = folded ? ', scale 2 folded into its last layer' : '';
    const resampled =
      enlarged.width === output.width && enlarged.height === output.height
        ? ''
        : `, its ${scale}x resampled to ${recipe.scale}x`;
    const why = reason === null || recipe.device === 'cpu' ? '' : ` (device ${recipe.device}: ${reason})`;
    return `${network.name} by ${engine.name}${why}, ${tiling}${fold}${resampled}`;
  }
}

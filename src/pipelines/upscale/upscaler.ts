import { EngineError, GpuUnavailableError, toError } from '../../domain/errors.ts';
import type { FrameFormat } from '../../domain/media-info.ts';
import type { Precision, WebGpuUse } from '../../domain/job.ts';
import type { Device } from '../../domain/recipe.ts';
import type { Engine } from '../../inference/engine.ts';
import { chooseEngine, type ChosenModel } from '../../inference/load-model.ts';
import { measure } from '../../observability/measurements.ts';
import type { ReducedTile } from '../frame-pipeline.ts';
import { anySizeEngine } from './any-size-engine.ts';
import { SMALLEST_TILE } from './choose-tile.ts';
import { frameTrial } from './frame-trial.ts';
import { planTiles, type Tile } from './tiles.ts';
import { upscaleFrame, type FrameToTile } from './upscale-frame.ts';
import type { PreviousFrame, UpscaledFrame } from './upscale-tiles.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';

export interface UpscalerOptions {
  /** Bytes of an ONNX file. */
  readonly model: Uint8Array;
  readonly device: Device;
  /** Engines in the order of preference. */
  readonly engines: readonly Engine[];
  readonly threads: number;
  /** How exactly the native CPU engine computes; absent: that engine is not used. */
  readonly precision?: Precision | undefined;
  /** Whether WebGPU is used; `undecided`: if it is faster than the CPU. Absent: it is not. */
  readonly webGpu?: WebGpuUse | undefined;
  /** Edge of a tile in source pixels; null: whole frames. */
  readonly tile: number | null;
  /** Tile edge on a GPU; absent: the same as `tile`. */
  readonly gpuTile?: number | null | undefined;
  /** The same with another engine than our kernels; absent: `gpuTile`. */
  readonly otherGpuTile?: number | null | undefined;
  /** Source pixels around a tile that affect its result. */
  readonly overlap: number;
  readonly input: FrameFormat;
  /** When memory runs out, tiles do not get smaller: the next engine takes over. Absent: they do. */
  readonly wholeFrames?: boolean;
  /** Called after each tile. */
  readonly onTile?: () => void;
  /** Whether the sizes that the model takes are found out, and images padded to them. Absent: it takes all sizes. */
  readonly findsSizes?: boolean;
  /** Called with a sentence for the log when the job switches to another engine. */
  readonly onStepDown: (reason: string) => void;
}

/** After this many out-of-memory failures, the next engine is used, if there is one. */
const MEMORY_ATTEMPTS = 3;
/** The factor by which tiles shrink after running out of memory. */
const MEMORY_STEP = 0.7;

/** A model, the engine that it runs on, and the tiles that this engine's memory allows. */
interface Ready extends ChosenModel {
  /** Output pixels per source pixel, along one edge. */
  readonly scale: number;
  tile: number | null;
  /** A smaller tile that no frame has succeeded with yet; null if there is none. */
  unproved: number | null;
  /** The format of the model's output, before it is resampled to the requested scale. */
  readonly upscaled: FrameFormat;
}

/**
 * Upscales frames with a model. When memory runs out, tiles get smaller; when an engine is lost or has no memory for the
 * smallest tiles, the next engine takes over and repeats the frame.
 */
export class Upscaler {
  readonly #options: UpscalerOptions;
  #ready: Promise<Ready>;
  #current: Ready;
  /** What the next engine replaces, while that loads the model. */
  #replaced: Ready | null = null;
  #reducedTile: ReducedTile | null = null;

  static async open(given: UpscalerOptions): Promise<Upscaler> {
    const options =
      given.findsSizes === true ? { ...given, engines: given.engines.map(anySizeEngine) } : given;
    return new Upscaler(options, await load(options, options.engines));
  }

  private constructor(options: UpscalerOptions, ready: Ready) {
    this.#options = options;
    this.#current = ready;
    this.#ready = Promise.resolve(ready);
  }

  /** The tile size that was reduced last and that a frame has passed with; null while none was. */
  get reducedTile(): ReducedTile | null {
    return this.#reducedTile;
  }

  get current(): Readonly<Ready> {
    return this.#current;
  }

  /** Whether frames are whole and their tiles can be chosen freely: not on GPUs, whose engine takes whole frames. */
  get isDivisible(): boolean {
    const { engine, model, tile } = this.#current;
    return engine.device === 'cpu' && model.upscale === undefined && tile === null;
  }

  /** Whether the next frame can get tiles of a frame that is divided like this. */
  canReuseTiles(division: readonly Tile[] | null): boolean {
    const { engine, model, tile } = this.#current;
    return engine.device === 'cpu' && model.upscale === undefined && (tile !== null || division !== null);
  }

  /**
   * Upscales one frame. Up to `current.model.concurrency` frames may be in progress at once.
   *
   * @param division tiles of a frame that fits into memory as a whole; null: the whole frame
   * @param previous the frame before, from which tiles that have not changed are copied; null: there is none
   * @param format of this frame, which may be smaller than the input that the options name
   */
  async upscale(
    pixels: Buffer,
    signal: AbortSignal,
    division: readonly Tile[] | null = null,
    previous: PreviousFrame | null = null,
    format: FrameFormat = this.#options.input,
  ): Promise<UpscaledFrame> {
    for (let failures = 1; ; failures++) {
      const ready = await this.#ready;
      const { tile } = ready;
      try {
        const upscaled = await this.#run(ready, { pixels, format, division, previous }, signal);
        this.#prove(ready, tile);
        return upscaled;
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        if (
          error.code === 'OUT_OF_MEMORY' &&
          this.#options.wholeFrames !== true &&
          (failures <= MEMORY_ATTEMPTS || this.#mustShrink(ready, tile))
        ) {
          // The failure of another frame may already have made it smaller.
          if (ready.tile === tile) ready.tile = ready.unproved = smallerTile(ready, format, this.#options);
        } else if (error.code === 'OUT_OF_MEMORY' || error.code === 'DEVICE_LOST') {
          this.#stepDown(ready, error);
          failures = 0;
        } else {
          throw error;
        }
      }
    }
  }

  #run(
    { engine, model, scale, tile }: Ready,
    frame: Pick<FrameToTile, 'pixels' | 'format' | 'division' | 'previous'>,
    signal: AbortSignal,
  ): Promise<UpscaledFrame> {
    const { overlap, onTile } = this.#options;
    const previous = engine.device === 'cpu' ? (frame.previous ?? null) : null;
    return upscaleFrame(model, scale, { ...frame, tile, overlap, previous }, signal, onTile);
  }

  async close(): Promise<void> {
    const ready = await this.#ready.catch(() => null);
    await ready?.model.dispose();
  }

  /** The last engine has no fallback, so its tiles shrink down to the smallest size. */
  #mustShrink({ engine }: Ready, tile: number | null): boolean {
    return engine === this.#options.engines.at(-1) && (tile === null || tile > SMALLEST_TILE);
  }

  #prove(ready: Ready, tile: number | null): void {
    // A concurrent frame that succeeded with larger tiles proves nothing.
    if (tile === null || ready.unproved !== tile) return;
    ready.unproved = null;
    this.#reducedTile = { device: ready.engine.device, tile };
  }

  /** Starts to load the next engine; frames that fail on the old one meanwhile wait for it as well. */
  #stepDown(lost: Ready, error: EngineError): void {
    // Several frames may be in progress when the memory of a GPU runs out.
    if (this.#current !== lost || this.#replaced === lost) return;
    const { engines, onStepDown, device } = this.#options;
    const next = engines.slice(engines.indexOf(lost.engine) + 1);
    const message = this.#explain(error);
    if (next.length === 0) throw new EngineError(error.code, `${message}.`, { cause: error });
    if (device === 'gpu-only' && next.every((engine) => engine.device === 'cpu'))
      throw new GpuUnavailableError(`${message}; the device gpu-only rules out the CPU.`);
    this.#replaced = lost;
    this.#ready = (async () => {
      // Freeing the memory of a lost GPU may also fail.
      await lost.model.dispose().catch((failure: unknown) => onStepDown(toError(failure).message));
      // If another GPU is lost, WebGPU was not chosen for this job.
      const ready = await load({ ...this.#options, webGpu: 'unused' }, next);
      this.#current = ready;
      measure({ kind: 'fallback', of: 'engine' });
      onStepDown(`${withoutFullStop(error.message)}; continuing with ${ready.engine.name}`);
      return ready;
    })();
  }

  /** Why the engine is given up, without a full stop, and what to do if memory is too short for whole frames. */
  #explain({ code, message }: EngineError): string {
    const why = withoutFullStop(message);
    if (code !== 'OUT_OF_MEMORY' || this.#options.wholeFrames !== true) return why;
    return `${why}; this model needs whole frames, so use another model, or set a tile size in the recipe`;
  }
}

async function load(options: UpscalerOptions, engines: readonly Engine[]): Promise<Ready> {
  const { model, device, threads, precision, webGpu, input } = options;
  const loadOptions = { threads, precision, webGpu, onWait: options.onTile };
  const trialFor = (engine: Engine) => frameTrial(engine, options.onTile);
  const { outcome: scale, ...ready } = await chooseEngine(model, device, engines, loadOptions, trialFor);
  const upscaled = { ...input, width: input.width * scale, height: input.height * scale };
  return { ...ready, scale, tile: plannedTile(ready, options), unproved: null, upscaled };
}

function plannedTile({ engine, model }: ChosenModel, options: UpscalerOptions): number | null {
  if (engine.device !== 'gpu') return options.tile;
  const { tile, gpuTile = tile, otherGpuTile = gpuTile } = options;
  // Only our kernels take whole frames.
  return model.upscale === undefined ? otherGpuTile : gpuTile;
}

function smallerTile({ tile }: Ready, { width, height }: FrameFormat, { overlap }: UpscalerOptions): number {
  // Based on the actual edge of the tiles: distributed evenly over the frame, they may be far smaller than requested.
  const edges = planTiles(width, height, tile, overlap).map(({ core }) => Math.max(core.width, core.height));
  return Math.max(SMALLEST_TILE, Math.floor(Math.max(...edges) * MEMORY_STEP));
}

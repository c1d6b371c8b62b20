import type { FrameFormat } from '../../../domain/media-info.ts';
import type { ModelFile } from '../../../domain/models.ts';
import type { Device } from '../../../domain/recipe.ts';
import { fastestRun } from '../../../inference/fastest-run.ts';
import { readUpscaler } from '../../../inference/models/read-upscaler.ts';
import { Semaphore } from '../../../lib/semaphore.ts';
import type { Sizes } from '../composition/pane.ts';
import type { ShownView } from '../composition/screen.ts';
import type { ReducedTile } from '../../frame-pipeline.ts';
import type { PipelineNeeds } from '../../pipeline-needs.ts';
import { Upscaler } from '../../upscale/upscaler.ts';
import { windowOf, type CloseUp } from './close-up.ts';
import { cropFrame, type Window } from '../../crop-frame.ts';

/** Upscales close-ups with a super-resolution model. */
export class Enhancer {
  readonly #upscaler: Upscaler;
  readonly #model: ModelFile;
  readonly #sizes: Sizes;
  readonly #permits: Semaphore;

  /** @throws EngineError if no engine can run the model */
  static async open(needs: PipelineNeeds, model: ModelFile, device: Device, sizes: Sizes): Promise<Enhancer> {
    const onnx = await readUpscaler(model);
    const options = {
      ...needs,
      ...{ model: onnx, device, overlap: model.overlap, input: sizes.from },
      findsSizes: model.architecture === null,
    };
    return new Enhancer(await Upscaler.open(options), model, sizes);
  }

  private constructor(upscaler: Upscaler, model: ModelFile, sizes: Sizes) {
    this.#upscaler = upscaler;
    this.#model = model;
    this.#sizes = sizes;
    this.#permits = new Semaphore(() => upscaler.current.model.concurrency ?? 1);
  }

  get reducedTile(): ReducedTile | null {
    return this.#upscaler.reducedTile;
  }

  get modelName(): string {
    return this.#model.name;
  }

  /** Which engine runs which model, for the log. */
  get summary(): string {
    const { engine, model } = this.#upscaler.current;
    return `${this.#model.name} with ${engine.name}${model.detail === undefined ? '' : ` (${model.detail})`}`;
  }

  windowOf(shown: ShownView): Window {
    return windowOf(shown, this.#sizes, this.#model.overlap);
  }

  /** Upscales what a view shows of a frame, with the surroundings that affect it. */
  async enhance(pixels: Buffer, shown: ShownView, signal: AbortSignal): Promise<CloseUp> {
    const { from } = this.#sizes;
    const window = this.windowOf(shown);
    const upscaled = await this.#upscale(cropFrame(pixels, from, window), window, signal);
    return { pixels: upscaled, window, scale: this.#upscaler.current.scale };
  }

  /** Milliseconds per source pixel, measured with a window of this size. */
  async measure({ width, height }: Window, signal: AbortSignal): Promise<number> {
    const window = { x: 0, y: 0, width, height };
    const pixels = noise(this.#sizes.from, window);
    return (await fastestRun(() => this.#upscale(pixels, window, signal))) / (width * height);
  }

  async #upscale(pixels: Buffer, { width, height }: Window, signal: AbortSignal): Promise<Buffer> {
    const permit = await this.#permits.acquire({ signal });
    try {
      const format = { ...this.#sizes.from, width, height };
      return (await this.#upscaler.upscale(pixels, signal, null, null, format)).pixels;
    } finally {
      permit.release();
    }
  }

  close(): Promise<void> {
    return this.#upscaler.close();
  }
}

function noise({ pixelFormat }: FrameFormat, { width, height }: Window): Buffer {
  const bytes = width * height * (pixelFormat === 'rgb24' ? 3 : 6);
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (i * 7919) % 251));
}

import type { FrameToUpscale, LoadedModel, ModelOutput, Tensor, WindowToUpscale } from './engine.ts';
import { RequestScheduler, type InferenceRequest, type Stream } from './request-scheduler.ts';
import { StreamShares, type StreamShare } from './stream-shares.ts';

export interface SharingOptions {
  /** Maximum number of frames of different streams in one batch, if the engine supports batches. */
  readonly batch: number;
  /** How long a batch that is not full waits for further frames. */
  readonly waitMs: number;
  readonly now: () => number;
}

/** One loaded model that several streams use. */
export class SharedModel {
  readonly #model: LoadedModel;
  readonly #now: () => number;
  readonly #scheduler: RequestScheduler;
  readonly #shares = new StreamShares();

  constructor(model: LoadedModel, { now, ...batching }: SharingOptions) {
    this.#model = model;
    this.#now = now;
    this.#scheduler = new RequestScheduler(model, {
      ...batching,
      streamCount: () => this.#shares.streamCount,
    });
  }

  shareOf(streamId: number): StreamShare {
    return this.#shares.of(streamId);
  }

  /** The model for one stream. @param dispose called once, when the stream disposes the model */
  viewFor(stream: Stream, dispose: () => Promise<void>): LoadedModel {
    this.#shares.add(stream.id);
    let disposed: Promise<void> | null = null;
    const { concurrency, detail, hasPlainKernels } = this.#model;
    const view = {
      run: (tensor: Tensor) => this.#run(stream, tensor),
      dispose: () => {
        disposed ??= dispose();
        this.#scheduler.forget(stream.id);
        this.#shares.remove(stream.id);
        return disposed;
      },
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(hasPlainKernels === undefined ? {} : { hasPlainKernels }),
      ...(detail === undefined ? {} : { detail }),
    };
    if (this.#model.upscale !== undefined)
      return { ...view, upscale: (frame: FrameToUpscale) => this.#upscale(stream, frame) };
    if (this.#model.upscaleWindow !== undefined)
      return { ...view, upscaleWindow: (window: WindowToUpscale) => this.#upscaleWindow(stream, window) };
    return view;
  }

  #run(stream: Stream, tensor: Tensor): Promise<readonly ModelOutput[]> {
    return new Promise((resolve, reject) => {
      const runAlone = async (): Promise<void> => resolve(await this.#model.run(tensor));
      this.#request({ stream, cost: tensor.data.length, tensor, runAlone, resolve, reject });
    });
  }

  /** Whole frames are never batched: the engine runs several of them at once. */
  #upscale(stream: Stream, frame: FrameToUpscale): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const runAlone = async (): Promise<void> => {
        const upscaled = await this.#model.upscale?.(frame);
        if (upscaled !== undefined) resolve(upscaled);
      };
      const cost = 3 * frame.width * frame.height;
      this.#request({ stream, cost, tensor: null, runAlone, resolve: () => undefined, reject });
    });
  }

  /** Windows are never batched: they are converted in place. */
  #upscaleWindow(stream: Stream, window: WindowToUpscale): Promise<void> {
    return new Promise((resolve, reject) => {
      const runAlone = async (): Promise<void> => resolve(await this.#model.upscaleWindow?.(window));
      const cost = 3 * window.window.width * window.window.height;
      this.#request({ stream, cost, tensor: null, runAlone, resolve: () => undefined, reject });
    });
  }

  #request(request: Omit<InferenceRequest, 'onServed'>): void {
    const startedAtMs = this.#now();
    const onServed = (): void => this.#shares.count(request.stream.id, this.#now() - startedAtMs);
    this.#scheduler.add({ ...request, onServed });
  }
}

import { EngineError, toError } from '../domain/errors.ts';
import type { FrameToUpscale, LoadedModel, ModelOutput, Tensor } from './engine.ts';
import { FairQueue } from './fair-queue.ts';

export interface Stream {
  readonly id: number;
  /** Its share among others; 1 is usual. */
  readonly weight: number;
}

/** What a stream got of the engine. Times are from the request to the result. */
export interface StreamShare {
  readonly requests: number;
  readonly totalMs: number;
  readonly longestMs: number;
}

export interface SharingOptions {
  /** Frames of different streams that are run as one batch, where the engine takes batches. */
  readonly batch: number;
  /** How long a batch that is not full waits for more. */
  readonly waitMs: number;
  readonly now: () => number;
}

interface Request {
  readonly stream: Stream;
  readonly sinceMs: number;
  /** null for a frame: it is never batched, the engine has lanes of its own. */
  readonly tensor: Tensor | null;
  readonly alone: () => Promise<void>;
  readonly resolve: (outputs: readonly ModelOutput[]) => void;
  readonly reject: (error: Error) => void;
}

/** After a batch for which memory was short, as for tiles (B5). */
const MEMORY_STEP = 0.7;

/**
 * One loaded model for several streams. Whose turn it is follows from weights and work done; requests of the same shape
 * that wait at that time are run as one batch.
 */
export class SharedModel {
  readonly #model: LoadedModel;
  readonly #options: SharingOptions;
  readonly #queue = new FairQueue<Request>();
  readonly #shares = new Map<number, StreamShare>();
  #most: number;
  #underWay = 0;
  #isWaiting = false;

  constructor(model: LoadedModel, options: SharingOptions) {
    this.#model = model;
    this.#options = options;
    this.#most = Math.max(1, Math.min(options.batch, model.maxBatch ?? 1));
  }

  /** Frames of a batch that memory allowed so far. */
  get most(): number {
    return this.#most;
  }

  shareOf(streamId: number): StreamShare {
    return this.#shares.get(streamId) ?? { requests: 0, totalMs: 0, longestMs: 0 };
  }

  /** The model as one stream sees it. @param dispose called once, when the stream needs it no more */
  viewFor(stream: Stream, dispose: () => Promise<void>): LoadedModel {
    this.#shares.set(stream.id, this.shareOf(stream.id));
    let disposed: Promise<void> | null = null;
    const { concurrency } = this.#model;
    const view = {
      run: (tensor: Tensor) => this.#run(stream, tensor),
      dispose: () => {
        disposed ??= dispose();
        this.#queue.forget(stream.id);
        this.#shares.delete(stream.id);
        return disposed;
      },
      ...(concurrency === undefined ? {} : { concurrency }),
    };
    if (this.#model.upscale === undefined) return view;
    return { ...view, upscale: (frame: FrameToUpscale) => this.#upscale(stream, frame) };
  }

  #run(stream: Stream, tensor: Tensor): Promise<readonly ModelOutput[]> {
    return new Promise((resolve, reject) => {
      const alone = async (): Promise<void> => resolve(await this.#model.run(tensor));
      this.#enter({ stream, tensor, alone, resolve, reject }, tensor.data.length);
    });
  }

  #upscale(stream: Stream, frame: FrameToUpscale): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const alone = async (): Promise<void> => {
        const upscaled = await this.#model.upscale?.(frame);
        if (upscaled !== undefined) resolve(upscaled);
      };
      const request = { stream, tensor: null, alone, resolve: () => undefined, reject };
      this.#enter(request, 3 * frame.width * frame.height);
    });
  }

  #enter(request: Omit<Request, 'sinceMs'>, cost: number): void {
    const { id, weight } = request.stream;
    this.#queue.push({ ...request, sinceMs: this.#options.now() }, { stream: id, weight, cost });
    this.#pump(false);
  }

  #pump(hasWaited: boolean): void {
    while (this.#queue.size > 0 && this.#underWay < (this.#model.concurrency ?? 1)) {
      // Each stream asks for one at a time; there is nothing to wait for when all have asked.
      const full = Math.min(this.#most, this.#shares.size);
      if (!hasWaited && this.#queue.countWithFirst(goWith) < full) {
        this.#waitForMore();
        return;
      }
      this.#underWay++;
      void this.#serve(this.#queue.take(this.#most, goWith)).finally(() => {
        this.#underWay--;
        this.#pump(false);
      });
    }
  }

  #waitForMore(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(() => {
      this.#isWaiting = false;
      this.#pump(true);
    }, this.#options.waitMs);
  }

  async #serve(requests: readonly Request[]): Promise<void> {
    try {
      if (requests.length === 1) await requests[0]?.alone();
      else await this.#runTogether(requests);
    } catch (caught) {
      const error = toError(caught);
      const [first, ...others] = requests;
      if (others.length === 0 || (error instanceof EngineError && error.code === 'DEVICE_LOST')) {
        for (const { reject } of requests) reject(error);
        return;
      }
      if (error instanceof EngineError && error.code === 'OUT_OF_MEMORY')
        this.#most = Math.max(1, Math.floor(requests.length * MEMORY_STEP));
      // What is wrong with one of them must not be the others' fault.
      const step = error instanceof EngineError && error.code === 'OUT_OF_MEMORY' ? this.#most : 1;
      for (let at = 0; first !== undefined && at < requests.length; at += step)
        await this.#serve(requests.slice(at, at + step));
      return;
    }
    for (const request of requests) this.#count(request);
  }

  /** @throws EngineError as the engine does */
  async #runTogether(requests: readonly Request[]): Promise<void> {
    const tensors = requests.flatMap(({ tensor }) => (tensor === null ? [] : [tensor]));
    const [first] = tensors;
    if (first === undefined) return;
    const each = first.data.length;
    const data = new Float32Array(each * tensors.length);
    tensors.forEach((tensor, i) => data.set(tensor.data, i * each));
    const [, channels, height, width] = first.shape;
    const outputs = await this.#model.run({ data, shape: [tensors.length, channels, height, width] });
    requests.forEach(({ resolve }, i) => resolve(outputs.map((output) => partOf(output, i, tensors.length))));
  }

  #count({ stream, sinceMs }: Request): void {
    const before = this.#shares.get(stream.id);
    if (before === undefined) return;
    const tookMs = this.#options.now() - sinceMs;
    this.#shares.set(stream.id, {
      requests: before.requests + 1,
      totalMs: before.totalMs + tookMs,
      longestMs: Math.max(before.longestMs, tookMs),
    });
  }
}

/** Whether two requests can be one batch. */
function goWith(first: Request, other: Request): boolean {
  if (first.tensor === null || other.tensor === null) return false;
  return first.tensor.shape.every((length, i) => length === other.tensor?.shape[i]);
}

/** The i-th image of an output for `count` of them; a copy, so that one stream does not keep all in memory. */
function partOf({ name, data, shape }: ModelOutput, i: number, count: number): ModelOutput {
  const [batch, ...rest] = shape;
  const each = data.length / count;
  if (batch !== count)
    throw new EngineError('ENGINE_FAILED', `The model made ${String(batch)} results of ${count} images.`);
  return { name, data: data.slice(i * each, (i + 1) * each), shape: [1, ...rest] };
}

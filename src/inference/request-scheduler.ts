import { EngineError, toError } from '../domain/errors.ts';
import { measure } from '../observability/measurements.ts';
import type { LoadedModel, ModelOutput, Tensor } from './engine.ts';
import { FairQueue } from './fair-queue.ts';
import { haveSameShape, outputsOfImage, stackTensors } from './image-batch.ts';

/** A stream of frames of one job. */
export interface Stream {
  readonly id: number;
  /** Its share relative to the weights of other streams; usually 1. */
  readonly weight: number;
}

/** A request for one run of the model. */
export interface InferenceRequest {
  readonly stream: Stream;
  /** What the run costs, in the same unit for all streams. */
  readonly cost: number;
  /** The input, if the request may be batched with others; null: it always runs alone. */
  readonly tensor: Tensor | null;
  /** Runs the request on its own and hands over its result. */
  readonly runAlone: () => Promise<void>;
  /** Receives the outputs if the request was run in a batch. */
  readonly resolve: (outputs: readonly ModelOutput[]) => void;
  readonly reject: (error: Error) => void;
  /** Called when the request has succeeded. */
  readonly onServed: () => void;
}

export interface BatchingOptions {
  /** Maximum number of requests in a batch, if the engine supports batches. */
  readonly batch: number;
  /** How long a batch that is not full waits for further requests. */
  readonly waitMs: number;
  /** Number of streams that may have a request waiting. */
  readonly streamCount: () => number;
}

/** The factor for the batch size after a batch ran out of memory; tiles shrink by the same factor. */
const MEMORY_STEP = 0.7;

/**
 * Decides the order of inference requests: streams take turns according to their weights and the work done for them so
 * far. Requests of the same shape that wait at the same time run as one batch.
 */
export class RequestScheduler {
  readonly #model: LoadedModel;
  readonly #options: BatchingOptions;
  readonly #queue = new FairQueue<InferenceRequest>();
  #maxBatch: number;
  #running = 0;
  #isWaiting = false;

  constructor(model: LoadedModel, options: BatchingOptions) {
    this.#model = model;
    this.#options = options;
    this.#maxBatch = Math.max(1, Math.min(options.batch, model.maxBatch ?? 1));
  }

  /** Largest batch that has not run out of memory so far. */
  get maxBatch(): number {
    return this.#maxBatch;
  }

  add(request: InferenceRequest): void {
    const { stream, cost } = request;
    this.#queue.push(request, { stream: stream.id, weight: stream.weight, cost });
    measure({ kind: 'queue-depth', frames: this.#queue.size });
    this.#startNext(false);
  }

  /** Discards the accounting of a stream that has ended. */
  forget(streamId: number): void {
    this.#queue.forget(streamId);
  }

  #startNext(hasWaited: boolean): void {
    while (this.#queue.size > 0 && this.#running < (this.#model.concurrency ?? 1)) {
      // Each stream has one request at a time, so there is nothing to wait for when every stream has one.
      const full = Math.min(this.#maxBatch, this.#options.streamCount());
      if (!hasWaited && this.#queue.countWithFirst(canBeBatched) < full) {
        this.#waitForMore();
        return;
      }
      this.#running++;
      void this.#serve(this.#queue.take(this.#maxBatch, canBeBatched)).finally(() => {
        this.#running--;
        this.#startNext(false);
      });
    }
  }

  #waitForMore(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(() => {
      this.#isWaiting = false;
      this.#startNext(true);
    }, this.#options.waitMs);
  }

  async #serve(requests: readonly InferenceRequest[]): Promise<void> {
    try {
      if (requests.length === 1) await requests[0]?.runAlone();
      else await this.#runBatch(requests);
    } catch (error) {
      await this.#recover(requests, toError(error));
      return;
    }
    for (const { onServed } of requests) onServed();
  }

  /** Runs a failed batch again in smaller parts, so that one request cannot fail the others. */
  async #recover(requests: readonly InferenceRequest[], error: Error): Promise<void> {
    const code = error instanceof EngineError ? error.code : null;
    if (requests.length <= 1 || code === 'DEVICE_LOST') {
      for (const { reject } of requests) reject(error);
      return;
    }
    if (code === 'OUT_OF_MEMORY') this.#maxBatch = Math.max(1, Math.floor(requests.length * MEMORY_STEP));
    const step = code === 'OUT_OF_MEMORY' ? this.#maxBatch : 1;
    for (let at = 0; at < requests.length; at += step) await this.#serve(requests.slice(at, at + step));
  }

  /** @throws EngineError as `LoadedModel.run` */
  async #runBatch(requests: readonly InferenceRequest[]): Promise<void> {
    const [first, ...others] = requests.flatMap(({ tensor }) => (tensor === null ? [] : [tensor]));
    if (first === undefined) return;
    const outputs = await this.#model.run(stackTensors([first, ...others]));
    requests.forEach(({ resolve }, i) => resolve(outputsOfImage(outputs, i, requests.length)));
  }
}

function canBeBatched(a: InferenceRequest, b: InferenceRequest): boolean {
  return a.tensor !== null && b.tensor !== null && haveSameShape(a.tensor, b.tensor);
}

import type { BatchTask, VideoSetup } from '../protocol.ts';
import { runTask, type TaskContext } from './run-task.ts';
import { VideoSession, type SessionOptions } from './video-session.ts';

/**
 * Batches of a video that a worker has taken and not finished, at most: one is decoded, one upscaled, one encoded, verified
 * or uploaded. That many are repeated elsewhere if the worker is killed.
 */
const MOST_TAKEN = 3;

export type OpenVideoOptions = TaskContext & SessionOptions;

/**
 * A video that a worker has open: its session, and the batches in it, whose stages overlap. The first batch that is not
 * finished here ends it: after a failure the others are finished, but a batch that was lost stops them, because its inference was
 * cut off.
 */
export class OpenVideo {
  readonly #options: OpenVideoOptions;
  readonly #session: VideoSession;
  readonly #stop: AbortController;
  readonly #taken = new Map<number, Promise<void>>();
  /** Those of them that are not upscaled yet. */
  readonly #toUpscale = new Set<number>();
  /** Settles when the batch taken last is being upscaled, or has ended. */
  #isLastBegun: Promise<void> = Promise.resolve();
  #end: 'lost' | 'failed' | null = null;

  private constructor(options: OpenVideoOptions, session: VideoSession, stop: AbortController) {
    this.#options = options;
    this.#session = session;
    this.#stop = stop;
  }

  /** @throws what `VideoSession.open` throws if this machine cannot process the video */
  static async open(options: OpenVideoOptions): Promise<OpenVideo> {
    const stop = new AbortController();
    const own = { ...options, signal: AbortSignal.any([options.signal, stop.signal]) };
    return new OpenVideo(own, await VideoSession.open(own), stop);
  }

  get setup(): VideoSetup {
    return this.#session.setup;
  }

  /** Why no further batch is taken; null: some may be. */
  get end(): 'lost' | 'failed' | null {
    return this.#end;
  }

  /** Whether a batch that was taken would keep the next one from being upscaled. */
  get isUpscaling(): boolean {
    return this.#toUpscale.size > 0;
  }

  /** Numbers of the batches that are taken and not finished. */
  get batches(): number[] {
    return [...this.#taken.keys()];
  }

  /** Waits until a further batch can be decoded beside those that are taken, or none may be. */
  async untilRoom(): Promise<void> {
    await this.#isLastBegun;
    while (this.#end === null && this.#taken.size >= MOST_TAKEN) await this.untilOneEnds();
  }

  async untilOneEnds(): Promise<void> {
    await Promise.race(this.#taken.values());
  }

  /** Takes a batch through its stages, beside those that are in them. Settles when it has ended. */
  start(task: BatchTask): Promise<void> {
    const { number } = task.range;
    let begin = (): void => undefined;
    this.#isLastBegun = new Promise((begun) => (begin = begun));
    const onUpscale = (state: 'begins' | 'ends'): void => {
      if (state === 'begins') begin();
      else this.#toUpscale.delete(number);
    };
    this.#toUpscale.add(number);
    const run = runTask({ ...this.#options, onUpscale }, this.#session, task).then((end) => {
      this.#taken.delete(number);
      this.#toUpscale.delete(number);
      if (end !== 'done') this.#end ??= end;
      if (end === 'lost') this.#stop.abort();
      begin();
    });
    this.#taken.set(number, run);
    return run;
  }

  /** Waits for the batches that are taken, and closes the session. */
  async close(): Promise<void> {
    await Promise.all(this.#taken.values());
    await this.#session.close();
  }
}

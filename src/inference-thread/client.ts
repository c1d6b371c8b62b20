import type { BatchRange } from '../domain/frame-batch.ts';
import {
  EngineError,
  InputRejectedError,
  ModelError,
  TransientError,
  SharedThreadError,
  StoppedError,
  toError,
  type ModelErrorCode,
} from '../domain/errors.ts';
import type { StreamShare } from '../inference/shared-model.ts';
import { StallWatchdog, type Stall } from './stall-watchdog.ts';
import type { StreamPort, TransformHost } from './host.ts';
import type { FromTransform, ToTransform, TransformSetup } from './protocol.ts';

export interface TransformedBatch {
  readonly pipelineState: Uint8Array | null;
  /** What the pipeline has to tell, of all frames so far. */
  readonly conclusion: string | null;
  readonly framesInferred: number;
}

export interface TransformListeners {
  /** Gets sentences for the log. */
  readonly onNotice: (notice: string) => void;
  /** Memory was short, and a frame then passed in tiles of this edge. */
  readonly onSmallerTile: (device: 'cpu' | 'gpu', tile: number) => void;
}

export interface TransformRequest {
  readonly batch: BatchRange;
  readonly inputPath: string;
  readonly outputPath: string;
  readonly framesReady: number;
  readonly stateBefore: Uint8Array | null;
  readonly onProgress: (framesReady: number) => void;
}

/**
 * The main thread's end of a job's stream on the transform thread. States: opening → idle ⇄ transforming → closed; a
 * thread that fails or ends by itself rejects what waits and everything after it, and so does one that hangs: nothing can
 * end it then but the end of the process.
 */
export class Transformer {
  /** One sentence: which engine runs which model. Known when `ready` has settled. */
  summary = '';
  readonly #host: Pick<TransformHost, 'openCount'>;
  readonly #thread: StreamPort;
  readonly #exited: Promise<void>;
  readonly #watch: StallWatchdog;
  #rejectClose: (error: Error) => void = () => undefined;
  #waiting: { resolve: (message: FromTransform) => void; reject: (error: Error) => void } | null = null;
  #onProgress: (framesReady: number) => void = () => undefined;
  readonly #listeners: TransformListeners;
  #broken: Error | null = null;

  /** What it had of its models; known when it is closed. */
  readonly shares: StreamShare[] = [];

  /** Opens a stream. `stallMs`: see StallWatchdog. */
  constructor(
    host: Pick<TransformHost, 'open' | 'openCount'>,
    setup: TransformSetup,
    stallMs: number,
    listeners: TransformListeners,
  ) {
    this.#listeners = listeners;
    this.#host = host;
    this.#watch = new StallWatchdog({ stallMs, onStall: (how) => this.#stalled(how) });
    this.#thread = host.open(setup);
    this.#thread.on('message', (message: FromTransform) => this.#receive(message));
    this.#thread.on('error', (error: Error) =>
      this.#break(this.#blame('ENGINE_FAILED', `The transform thread crashed: ${error.message}`, error)),
    );
    this.#exited = new Promise((resolve, reject) => {
      this.#rejectClose = reject;
      this.#thread.on('exit', () => {
        this.#watch.rest();
        this.#break(new StoppedError('The transform thread has ended.'));
        resolve();
      });
    });
    // Whoever closes it hears of it.
    this.#exited.catch(() => undefined);
  }

  /** Settles when the model is loaded. */
  async ready(signal: AbortSignal): Promise<void> {
    const opened = await this.#answer(signal);
    if (opened.kind === 'opened') this.summary = opened.summary;
  }

  async transform(request: TransformRequest, signal: AbortSignal): Promise<TransformedBatch> {
    const { onProgress, ...order } = request;
    this.#onProgress = onProgress;
    this.#send({ kind: 'transform', ...order });
    const answer = await this.#answer(signal);
    if (answer.kind !== 'transformed')
      throw new EngineError('ENGINE_FAILED', `Unexpected answer: ${answer.kind}.`);
    return answer;
  }

  /**
   * Ends the stream; settles when the run that it is in has returned and it is gone, and rejects when it hangs. May be
   * called twice.
   */
  close(): Promise<void> {
    this.#watch.watch();
    this.#send({ kind: 'close' });
    return this.#exited;
  }

  #send(message: ToTransform): void {
    this.#thread.postMessage(message);
  }

  /** The thread's next answer; when `signal` is aborted the thread is told, and the answer is not waited for. */
  async #answer(signal: AbortSignal): Promise<FromTransform> {
    signal.throwIfAborted();
    if (this.#broken !== null) throw this.#broken;
    let onAbort: (() => void) | undefined;
    this.#watch.watch();
    try {
      return await new Promise<FromTransform>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        onAbort = () => {
          this.#send({ kind: 'stop' });
          reject(new StoppedError('The transformation was stopped.'));
        };
        signal.addEventListener('abort', onAbort, { once: true });
      });
    } finally {
      this.#watch.rest();
      this.#waiting = null;
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    }
  }

  #receive(message: FromTransform): void {
    if (this.#waiting !== null) this.#watch.watch();
    if (message.kind === 'alive') return;
    if (message.kind === 'progress') this.#tell(() => this.#onProgress(message.framesReady));
    else if (message.kind === 'notice') this.#listeners.onNotice(message.text);
    else if (message.kind === 'smaller-tile')
      this.#tell(() => this.#listeners.onSmallerTile(message.device, message.tile));
    else if (message.kind === 'share') this.shares.push(message.share);
    else if (message.kind === 'failed') this.#waiting?.reject(reviveError(message.code, message.message));
    else this.#waiting?.resolve(message);
  }

  /** What the listener throws (a lost lease) ends the transformation; thrown here it would end the process. */
  #tell(listen: () => void): void {
    try {
      listen();
    } catch (error) {
      this.#waiting?.reject(toError(error));
    }
  }

  #stalled({ silentMs, isIdle }: Stall): void {
    const how = isIdle ? 'and used no processor' : 'though it used the processor all the time';
    const error = this.#blame(
      'ENGINE_STALLED',
      `The model moved nothing for ${silentMs / 1000} s ${how}; the worker is started anew.`,
    );
    this.#break(error);
    this.#rejectClose(error);
  }

  /** What ended the thread: this job's doing where it had it for itself, nobody's where others were on it too. */
  #blame(code: 'ENGINE_FAILED' | 'ENGINE_STALLED', message: string, cause?: Error): Error {
    return this.#host.openCount > 1
      ? new SharedThreadError(message, { cause })
      : new EngineError(code, message, { cause });
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#waiting?.reject(this.#broken);
  }
}

const MODEL_CODES: ReadonlySet<string> = new Set<ModelErrorCode>([
  'MODEL_UNKNOWN',
  'MODEL_MISSING',
  'MODEL_CHECKSUM',
  'MODEL_UNREADABLE',
  'MODEL_UNSUITABLE',
]);

/** An error that crossed the thread's border as code and sentence, as the kind that the job runner judges by. */
function reviveError(code: string, message: string): Error {
  if (code === 'STOPPED' || code === 'ABORT_ERR') return new StoppedError(message);
  if (code === 'ENOSPC') return new TransientError('DISK_FULL', `There is no room for frames: ${message}`);
  if (code === 'STATE_OF_OTHER_VERSION') return new InputRejectedError(code, message);
  if (MODEL_CODES.has(code)) return new ModelError(code as ModelErrorCode, message);
  if (code === 'OUT_OF_MEMORY' || code === 'ENGINE_UNAVAILABLE' || code === 'DEVICE_LOST')
    return new EngineError(code, message);
  return new EngineError('ENGINE_FAILED', message);
}

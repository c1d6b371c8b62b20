import type { BatchRange } from '../domain/frame-batch.ts';
import { EngineError, SharedThreadError, StoppedError, toError } from '../domain/errors.ts';
import type { StreamShare } from '../inference/stream-shares.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { AnalysedFrames, DirectedFrames, ReducedTile } from '../pipelines/frame-pipeline.ts';
import type { InferencePort, InferenceThread } from './inference-thread.ts';
import type { AnalyseRequest, DirectRequest, FromPort, PipelineSetup, ToPort } from './protocol.ts';
import { reviveError } from './revive-error.ts';
import { InferenceWatchdog, type Stall } from './watchdog.ts';

/** What the inference thread says when the models are loaded. */
export interface OpenedPipeline {
  readonly summary: string;
  readonly usesWebGpu: boolean;
}

/** A batch to transform; see TransformRequest for the fields. */
export interface TransformOptions {
  readonly batch: BatchRange;
  readonly inputPath: string;
  readonly outputPath: string;
  readonly framesReady: number;
  readonly direction: Uint8Array | null;
  /** Called after each frame. An error thrown here (a lost lease) rejects `transform`. */
  readonly onProgress: (progress: InferenceProgress) => void;
}

export interface InferenceProgress {
  /** Frames of the batch that are ready. */
  readonly framesReady: number;
  readonly reducedTile: ReducedTile | null;
}

export interface TransformResult {
  readonly framesInferred: number;
  /** Frames, and parts of frames, whose result was that of the previous frame. */
  readonly framesReused: number;
}

/**
 * The worker's side of one job's pipeline on the inference thread. The worker makes one for each job and closes it.
 *
 * States: new → open ⇄ transforming, analysing or directing → closed → open again. A thread that crashes, ends or hangs rejects the call in progress and
 * every later one. A thread that hangs ends only with its process, so `close` rejects then.
 */
export class InferenceClient {
  readonly #thread: Pick<InferenceThread, 'open' | 'openCount'>;
  readonly #log: Logger;
  #port: InferencePort | null = null;
  #closed: Promise<void> = Promise.resolve();
  #watchdog: InferenceWatchdog | null = null;
  #rejectClosed: (error: Error) => void = () => undefined;
  #waiting: { resolve: (message: FromPort) => void; reject: (error: Error) => void } | null = null;
  #onProgress: (progress: InferenceProgress) => void = () => undefined;
  #broken: Error | null = null;
  #isClosing = false;

  constructor(thread: Pick<InferenceThread, 'open' | 'openCount'>, log: Logger) {
    this.#thread = thread;
    this.#log = log;
  }

  /**
   * Opens the pipeline and waits until its models are loaded.
   *
   * @param stallMs time without a message and without CPU use after which the thread counts as hung
   * @returns one sentence for the log, which engine runs which model, and whether WebGPU computes
   */
  async open(setup: PipelineSetup, stallMs: number, signal: AbortSignal): Promise<OpenedPipeline> {
    if (this.#isClosing) {
      // The job had an earlier pipeline.
      await this.#closed;
      this.#isClosing = false;
      this.#broken = null;
    }
    this.#watchdog = new InferenceWatchdog({ stallMs, onStall: (stall) => this.#stalled(stall) });
    this.#listen(this.#thread.open(setup));
    const answer = await this.#answer(signal);
    if (answer.kind !== 'opened') throw unexpected(answer);
    return answer;
  }

  async transform(
    { onProgress, ...request }: TransformOptions,
    signal: AbortSignal,
  ): Promise<TransformResult> {
    this.#onProgress = onProgress;
    this.#send({ kind: 'transform', ...request });
    const answer = await this.#answer(signal);
    if (answer.kind !== 'transformed') throw unexpected(answer);
    return answer;
  }

  /** Gives the open pipeline the next columns of the spectrogram of a speech that still arrives. */
  hear(mel: Float32Array): void {
    this.#send({ kind: 'hear', mel });
  }

  /** Analyses a batch, for a pipeline that looks at the whole video first. */
  async analyse(
    request: Omit<AnalyseRequest, 'kind'>,
    signal: AbortSignal,
  ): Promise<AnalysedFrames & Pick<TransformResult, 'framesInferred'>> {
    this.#send({ kind: 'analyse', ...request });
    const answer = await this.#answer(signal);
    if (answer.kind !== 'analysed') throw unexpected(answer);
    return answer;
  }

  /** Decides what all frames show. */
  async direct(request: Omit<DirectRequest, 'kind'>, signal: AbortSignal): Promise<DirectedFrames> {
    this.#send({ kind: 'direct', ...request });
    const answer = await this.#answer(signal);
    if (answer.kind !== 'directed') throw unexpected(answer);
    return answer;
  }

  /**
   * Closes the pipeline. Settles when its current run has returned and its models are unloaded; rejects when the thread
   * hangs. May be called several times, and without `open`.
   */
  close(): Promise<void> {
    if (this.#port !== null && !this.#isClosing) {
      this.#isClosing = true;
      this.#watchdog?.watch();
      this.#send({ kind: 'close' });
    }
    return this.#closed;
  }

  #listen(port: InferencePort): void {
    this.#port = port;
    port.on('message', (message) => this.#receive(message));
    port.on('error', (error) =>
      this.#break(this.#blame('ENGINE_FAILED', `The inference thread crashed: ${error.message}`, error)),
    );
    this.#closed = new Promise((resolve, reject) => {
      this.#rejectClosed = reject;
      port.on('exit', () => {
        this.#watchdog?.rest();
        this.#break(new StoppedError('The inference thread has ended.'));
        resolve();
      });
    });
    // Rejected before anyone awaits it, it would end the process.
    this.#closed.catch(() => undefined);
  }

  #send(message: ToPort): void {
    this.#port?.postMessage(message);
  }

  /** The thread's next answer. When `signal` is aborted, the thread is asked to stop and the answer is not awaited. */
  async #answer(signal: AbortSignal): Promise<FromPort> {
    signal.throwIfAborted();
    if (this.#broken !== null) throw this.#broken;
    let onAbort: (() => void) | undefined;
    this.#watchdog?.watch();
    try {
      return await new Promise<FromPort>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        onAbort = () => {
          this.#send({ kind: 'stop' });
          reject(new StoppedError('Inference was stopped.'));
        };
        signal.addEventListener('abort', onAbort, { once: true });
      });
    } finally {
      this.#watchdog?.rest();
      this.#waiting = null;
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    }
  }

  #receive(message: FromPort): void {
    if (this.#waiting !== null) this.#watchdog?.watch();
    if (message.kind === 'alive') return;
    if (message.kind === 'notice') this.#log.warn(message.text);
    else if (message.kind === 'share') logShare(this.#log, message.share);
    else if (message.kind === 'progress') this.#report(message);
    else if (message.kind === 'failed') this.#waiting?.reject(reviveError(message.code, message.message));
    else this.#waiting?.resolve(message);
  }

  #report(progress: InferenceProgress): void {
    try {
      this.#onProgress(progress);
    } catch (error) {
      this.#waiting?.reject(toError(error));
    }
  }

  #stalled({ silentMs, isIdle }: Stall): void {
    const how = isIdle ? 'and used almost no CPU time' : 'although it kept the CPU busy';
    const error = this.#blame(
      'ENGINE_STALLED',
      `The model made no progress for ${silentMs / 1000} s ${how}; restarting the worker.`,
    );
    this.#break(error);
    this.#rejectClosed(error);
  }

  /** The failure of the thread: charged to this job if it was the only one on the thread, to no job otherwise. */
  #blame(code: 'ENGINE_FAILED' | 'ENGINE_STALLED', message: string, cause?: Error): Error {
    return this.#thread.openCount > 1
      ? new SharedThreadError(message, { cause })
      : new EngineError(code, message, { cause });
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#waiting?.reject(this.#broken);
  }
}

function unexpected({ kind }: FromPort): EngineError {
  return new EngineError('ENGINE_FAILED', `Unexpected message from the inference thread: ${kind}.`);
}

/** Logs how long the requests of the job took, including the time in which other jobs used the model. */
function logShare(log: Logger, { requests, totalMs, longestMs }: StreamShare): void {
  if (requests <= 1) return;
  const meanMs = Math.round(totalMs / requests);
  log.info(
    `inference: ${requests} requests, ${meanMs} ms on average and ${Math.round(longestMs)} ms at most, including waiting`,
  );
}

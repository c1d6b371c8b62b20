import { appendFileSync, closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { codeOf, InternalError, StoppedError, toError } from '../domain/errors.ts';
import { frameBytes, type FrameFormat } from '../domain/media-info.ts';
import type { Engine } from '../inference/engine.ts';
import { failPoint } from '../lib/fail-point.ts';
import { createPipeline } from '../pipelines/create-pipeline.ts';
import type { Frame, FramePipeline, PipelineFormats } from '../pipelines/frame-pipeline.ts';
import type { FromTransform, ToTransform, TransformOrder, TransformSetup } from './protocol.ts';

/**
 * One job's pipeline on the transform thread. It reads and writes frame files with blocking calls: nothing waits on this
 * thread but other streams, which could not run meanwhile anyway.
 */
export class InferencePort {
  readonly #setup: TransformSetup;
  readonly #say: (message: FromTransform) => void;
  readonly #stop = new AbortController();
  readonly #pipeline: FramePipeline;
  readonly #formats: PipelineFormats;
  #framesInferred = 0;
  #working: Promise<void>;

  /** Begins to load what the pipeline needs; says `opened` or `failed`. */
  constructor(setup: TransformSetup, engines: readonly Engine[], say: (message: FromTransform) => void) {
    this.#setup = setup;
    this.#say = say;
    const { model, embedding, tile, gpuTile, threads } = setup;
    this.#pipeline = createPipeline(setup.recipe, {
      ...{ model, embedding, tile, gpuTile, threads, engines },
      onStepDown: (text) => say({ kind: 'notice', text }),
      onSmallerTile: (device, smaller) => say({ kind: 'smaller-tile', device, tile: smaller }),
      onInferred: (frameNumber) => this.#count(frameNumber),
      onTile: () => say({ kind: 'alive' }),
    });
    this.#formats = this.#pipeline.describe(setup.source);
    this.#working = this.#pipeline
      .open(setup.source)
      .then(() => say({ kind: 'opened', summary: this.#pipeline.summary }))
      .catch((error: unknown) => this.#fail(error));
  }

  /** @returns the stream's end, for `close`; null for anything else */
  receive(message: ToTransform): Promise<void> | null {
    if (message.kind === 'transform') {
      this.#working = this.#transform(message).catch((error: unknown) => this.#fail(error));
      return null;
    }
    this.#stop.abort(new StoppedError('The transformation was stopped.'));
    return message.kind === 'close' ? this.#close() : null;
  }

  /** Broken off in the middle of a run, onnxruntime aborts the whole process: what is under way is waited for. */
  async #close(): Promise<void> {
    await this.#working;
    await this.#pipeline.close();
  }

  async #transform(order: TransformOrder): Promise<void> {
    const input = openSync(order.inputPath, 'r');
    const output = openSync(order.outputPath, order.framesReady === 0 ? 'w' : 'r+');
    const bytes = frameBytes(this.#formats.output);
    const before = this.#framesInferred;
    try {
      let framesReady = order.framesReady;
      // A process that was killed while it wrote leaves half a frame behind the whole ones.
      ftruncateSync(output, framesReady * bytes);
      const frames = readFrames(order, input, this.#formats.input);
      for await (const frame of this.#pipeline.process(frames, order.stateBefore, this.#stop.signal)) {
        failPoint('transformed-frame.before-write');
        // Appended in one piece: the file's length tells how many frames are whole.
        for (let written = 0; written < bytes;) {
          written += writeSync(output, frame.pixels, written, bytes - written, framesReady * bytes + written);
        }
        failPoint('transformed-frame.written');
        framesReady++;
        this.#say({ kind: 'progress', framesReady });
      }
    } finally {
      closeSync(input);
      closeSync(output);
    }
    this.#say({
      kind: 'transformed',
      pipelineState: this.#pipeline.snapshot(),
      conclusion: this.#pipeline.conclusion(),
      framesInferred: this.#framesInferred - before,
    });
  }

  #count(frameNumber: number): void {
    this.#framesInferred++;
    const { traceFile, jobId } = this.#setup;
    if (traceFile !== null) appendFileSync(traceFile, `${jobId} ${frameNumber} ${Date.now()}\n`);
  }

  #fail(error: unknown): void {
    this.#say({ kind: 'failed', code: codeOf(error), message: toError(error).message });
  }
}

function* readFrames(order: TransformOrder, file: number, format: FrameFormat): Generator<Frame> {
  const bytes = frameBytes(format);
  for (let i = order.framesReady; i < order.batch.frameCount; i++) {
    const pixels = Buffer.allocUnsafe(bytes);
    const got = readSync(file, pixels, 0, bytes, i * bytes);
    if (got !== bytes) throw new InternalError(`${order.inputPath} ends in the middle of frame ${i}.`);
    yield { number: order.batch.firstFrame + i, pixels };
  }
}

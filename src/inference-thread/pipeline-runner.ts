import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { codeOf, InternalError, StoppedError, toError } from '../domain/errors.ts';
import { frameBytes, type FrameFormat } from '../domain/media-info.ts';
import type { Engine } from '../inference/engine.ts';
import { failPoint } from '../lib/fail-point.ts';
import type { createPipeline } from '../pipelines/create-pipeline.ts';
import { describePipeline } from '../pipelines/describe-pipeline.ts';
import type { Frame, FramePipeline, PipelineFormats, VideoAnalysis } from '../pipelines/frame-pipeline.ts';
import type {
  AnalyseRequest,
  DirectRequest,
  FromPort,
  PipelineSetup,
  ToPort,
  TransformRequest,
} from './protocol.ts';

/** What a job runs. */
export interface PipelineProgram {
  readonly create: typeof createPipeline;
  readonly engines: readonly Engine[];
}

/**
 * Runs the pipeline of one job on the inference thread. Frame files are read and written with blocking calls, which are
 * simpler.
 */
export class PipelineRunner {
  readonly #setup: PipelineSetup;
  readonly #send: (message: FromPort) => void;
  readonly #stop = new AbortController();
  readonly #pipeline: FramePipeline;
  readonly #formats: PipelineFormats;
  #framesInferred = 0;
  #framesReused = 0;
  #working: Promise<void>;

  /** Starts to load the models of the pipeline that `create` makes; sends `opened` or `failed`. */
  constructor(setup: PipelineSetup, { create, engines }: PipelineProgram, send: (message: FromPort) => void) {
    this.#setup = setup;
    this.#send = send;
    const {
      model,
      embedding,
      enhancer = null,
      detector = null,
      speech,
      decodedTo,
      shrinksWith,
      reusesTiles,
    } = setup;
    const { tile, gpuTile, otherGpuTile, threads, precision, webGpu } = setup;
    this.#formats = describePipeline(setup.recipe, setup.source, decodedTo).formats;
    this.#pipeline = create(setup.recipe, {
      ...{
        model,
        embedding,
        enhancer,
        detector,
        speech,
        decodedTo,
        shrinksWith,
        reusesTiles,
        tile,
        gpuTile,
        otherGpuTile,
        threads,
        precision,
        webGpu,
        engines,
      },
      onStepDown: (text) => send({ kind: 'notice', text }),
      onInferred: (frameNumber) => this.#count(frameNumber),
      onReused: (share) => (this.#framesReused += share),
      onTile: () => send({ kind: 'alive' }),
    });
    this.#working = this.#pipeline
      .open(setup.source)
      .then(() => {
        const { summary, usesWebGpu = false } = this.#pipeline;
        send({ kind: 'opened', summary, usesWebGpu });
      })
      .catch((error: unknown) => this.#fail(error));
  }

  /** @returns for `close`, a promise that settles when the pipeline is closed; null for any other message */
  receive(message: ToPort): Promise<void> | null {
    if (message.kind === 'hear') {
      this.#pipeline.hear?.(message.mel);
      return null;
    }
    const work = this.#work(message);
    if (work !== null) {
      this.#working = work.catch((error: unknown) => this.#fail(error));
      return null;
    }
    this.#stop.abort(new StoppedError('Inference was stopped.'));
    return message.kind === 'close' ? this.#close() : null;
  }

  /** Starts what a request asks for; null for messages that are no requests. */
  #work(message: Exclude<ToPort, { kind: 'hear' }>): Promise<void> | null {
    if (message.kind === 'transform') return this.#transform(message);
    if (message.kind === 'analyse') return this.#analyse(message);
    return message.kind === 'direct' ? this.#direct(message) : null;
  }

  async #analyse(request: AnalyseRequest): Promise<void> {
    const inferredBefore = this.#framesInferred;
    const input = openSync(request.inputPath, 'r');
    try {
      const frames = readFrames(request, input, this.#formats.input, 0);
      const onFrame = (): void => this.#send({ kind: 'alive' });
      const analysed = await this.#analysis().analyse(
        frames,
        request.stateBefore,
        this.#stop.signal,
        onFrame,
      );
      const framesInferred = this.#framesInferred - inferredBefore;
      this.#send({ kind: 'analysed', framesInferred, ...analysed });
    } finally {
      closeSync(input);
    }
  }

  async #direct({ findings, batchFrames, loudness }: DirectRequest): Promise<void> {
    const onShot = (): void => this.#send({ kind: 'alive' });
    const analysis = this.#analysis();
    const directed = await analysis.direct(findings, batchFrames, this.#stop.signal, onShot, loudness);
    this.#send({ kind: 'directed', ...directed });
  }

  #analysis(): VideoAnalysis {
    const { analysis } = this.#pipeline;
    if (analysis === undefined) throw new InternalError('The pipeline analyses no videos.');
    return analysis;
  }

  /** Waits for the current run first: if a run is interrupted, onnxruntime aborts the whole process. */
  async #close(): Promise<void> {
    await this.#working;
    await this.#pipeline.close();
  }

  async #transform(request: TransformRequest): Promise<void> {
    const [inferredBefore, reusedBefore] = [this.#framesInferred, this.#framesReused];
    const isLinked =
      this.#pipeline.passesFramesOn === true && request.framesReady === 0 && linkFrames(request);
    if (isLinked) this.#passFrames(request.batch.frameCount);
    else await this.#copyFrames(request);
    this.#send({
      kind: 'transformed',
      framesInferred: this.#framesInferred - inferredBefore,
      framesReused: this.#framesReused - reusedBefore,
    });
  }

  /** Reports the frames of a linked file one by one, like those of other pipelines. */
  #passFrames(frameCount: number): void {
    for (let framesReady = 1; framesReady <= frameCount; framesReady++) {
      this.#stop.signal.throwIfAborted();
      failPoint('transformed-frame.before-write');
      failPoint('transformed-frame.written');
      this.#send({ kind: 'progress', framesReady, reducedTile: null });
    }
  }

  async #copyFrames(request: TransformRequest): Promise<void> {
    const input = openSync(request.inputPath, 'r');
    const output = openSync(request.outputPath, request.framesReady === 0 ? 'w' : 'r+');
    try {
      await this.#writeFrames(request, input, output);
    } finally {
      closeSync(input);
      closeSync(output);
    }
  }

  async #writeFrames(request: TransformRequest, input: number, output: number): Promise<void> {
    const write = await this.#frameWriter(output);
    const bytes = frameBytes(this.#written);
    let framesReady = request.framesReady;
    // A process killed while it wrote leaves part of a frame after the complete ones.
    ftruncateSync(output, framesReady * bytes);
    const { signal } = this.#stop;
    const all = readFrames(request, input, this.#formats.input, 0);
    await this.#pipeline.lookAhead?.(all, signal, request.direction);
    const frames = readFrames(request, input, this.#formats.input, framesReady);
    for await (const frame of this.#pipeline.process(frames, request.direction, signal)) {
      failPoint('transformed-frame.before-write');
      // Frames are appended one by one, so the length of the file says how many are complete.
      await write(frame.pixels, framesReady * bytes);
      failPoint('transformed-frame.written');
      framesReady++;
      this.#send({ kind: 'progress', framesReady, reducedTile: this.#pipeline.reducedTile });
    }
  }

  /** Format of the frames that are written. */
  get #written(): FrameFormat {
    const { output } = this.#formats;
    return { ...output, pixelFormat: this.#setup.toYuv?.pixelFormat ?? output.pixelFormat };
  }

  /** Writes frames at their place of a file, in the format that the encoder reads. */
  async #frameWriter(file: number): Promise<(pixels: Buffer, position: number) => Promise<void> | void> {
    const { toYuv } = this.#setup;
    if (toYuv === undefined) return (pixels, position) => writeFrame(file, pixels, position);
    // Loaded only where it is needed, like the engines.
    const { createYuvConverter } = await import('../inference/yuv-converter.ts');
    const convert = createYuvConverter(toYuv);
    // Begins at an address that its components allow, and is used for every frame.
    const converted = Buffer.allocUnsafeSlow(frameBytes(this.#written));
    return async (pixels, position) => {
      await convert(pixels, converted);
      writeFrame(file, converted, position);
    };
  }

  #count(frameNumber: number): void {
    this.#framesInferred++;
    const { traceFile, jobId } = this.#setup;
    if (traceFile !== null) appendFileSync(traceFile, `${jobId} ${frameNumber} ${Date.now()}\n`);
  }

  #fail(error: unknown): void {
    this.#send({ kind: 'failed', code: codeOf(error), message: toError(error).message });
  }
}

/**
 * Makes the output file a second name of the input file, which saves copying 12 MB for a frame of 2160p.
 *
 * @returns false where that is impossible, as on different disks
 */
function linkFrames({ inputPath, outputPath }: TransformRequest): boolean {
  rmSync(outputPath, { force: true });
  try {
    linkSync(inputPath, outputPath);
    return true;
  } catch {
    return false;
  }
}

function writeFrame(file: number, pixels: Buffer, position: number): void {
  for (let written = 0; written < pixels.length;)
    written += writeSync(file, pixels, written, pixels.length - written, position + written);
}

function* readFrames(
  request: Pick<TransformRequest, 'batch' | 'inputPath'>,
  file: number,
  format: FrameFormat,
  from: number,
): Generator<Frame> {
  const bytes = frameBytes(format);
  for (let i = from; i < request.batch.frameCount; i++) {
    const pixels = Buffer.allocUnsafe(bytes);
    const read = readSync(file, pixels, 0, bytes, i * bytes);
    if (read !== bytes) throw new InternalError(`${request.inputPath} ends before the end of frame ${i}.`);
    yield { number: request.batch.firstFrame + i, pixels };
  }
}

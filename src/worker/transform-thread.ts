import { appendFileSync, closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { failPointFolder } from '../config/environment.ts';
import { codeOf, InternalError, StoppedError, toError } from '../domain/errors.ts';
import { frameBytes, type FrameFormat } from '../domain/media-info.ts';
import { armFailPoints, failPoint } from '../lib/fail-point.ts';
import { createPipeline } from '../pipelines/create-pipeline.ts';
import type { Frame } from '../pipelines/frame-pipeline.ts';
import type { FromTransform, ToTransform, TransformOrder, TransformSetup } from './transform-protocol.ts';

/**
 * The thread that a job's pipeline lives on, because an engine's run blocks the loop that calls it. It reads and
 * writes frame files with blocking calls: nothing else waits here.
 */
armFailPoints(failPointFolder());
const setup = workerData as TransformSetup;
if (parentPort === null) throw new InternalError('transform-thread.ts runs as a thread of the worker only.');
const port = parentPort;
const say = (message: FromTransform): void => port.postMessage(message);

const stop = new AbortController();
let framesInferred = 0;
const pipeline = createPipeline(setup.recipe, {
  network: setup.network,
  embedding: setup.embedding,
  tile: setup.tile,
  threads: setup.threads,
  onStepDown: (text) => say({ kind: 'notice', text }),
  onInferred(frameNumber) {
    framesInferred++;
    if (setup.traceFile !== null)
      appendFileSync(setup.traceFile, `${setup.jobId} ${frameNumber} ${Date.now()}\n`);
  },
});
const formats = pipeline.describe(setup.source);

function* readFrames(order: TransformOrder, file: number, format: FrameFormat): Generator<Frame> {
  const bytes = frameBytes(format);
  for (let i = order.framesReady; i < order.batch.frameCount; i++) {
    const pixels = Buffer.allocUnsafe(bytes);
    const got = readSync(file, pixels, 0, bytes, i * bytes);
    if (got !== bytes) throw new InternalError(`${order.inputPath} ends in the middle of frame ${i}.`);
    yield { number: order.batch.firstFrame + i, pixels };
  }
}

async function transform(order: TransformOrder): Promise<void> {
  const input = openSync(order.inputPath, 'r');
  const output = openSync(order.outputPath, order.framesReady === 0 ? 'w' : 'r+');
  const bytes = frameBytes(formats.output);
  const before = framesInferred;
  try {
    let framesReady = order.framesReady;
    // A process that was killed while it wrote leaves half a frame behind the whole ones.
    ftruncateSync(output, framesReady * bytes);
    const frames = readFrames(order, input, formats.input);
    for await (const frame of pipeline.process(frames, order.stateBefore, stop.signal)) {
      failPoint('transformed-frame.before-write');
      // Appended in one piece: the file's length tells how many frames are whole.
      for (let written = 0; written < bytes;) {
        written += writeSync(output, frame.pixels, written, bytes - written, framesReady * bytes + written);
      }
      failPoint('transformed-frame.written');
      framesReady++;
      say({ kind: 'progress', framesReady });
    }
  } finally {
    closeSync(input);
    closeSync(output);
  }
  say({
    kind: 'transformed',
    pipelineState: pipeline.snapshot(),
    conclusion: pipeline.conclusion(),
    framesInferred: framesInferred - before,
  });
}

function fail(error: unknown): void {
  say({ kind: 'failed', code: codeOf(error), message: toError(error).message });
}

/** Ended from outside while a run is under way, onnxruntime aborts the whole process: the thread ends by itself. */
async function close(): Promise<void> {
  await working;
  await pipeline.close();
  port.close();
}

port.on('message', (message: ToTransform) => {
  if (message.kind === 'transform') {
    working = transform(message).catch(fail);
    return;
  }
  stop.abort(new StoppedError('The transformation was stopped.'));
  if (message.kind === 'close') void close();
});
let working: Promise<void> = pipeline
  .open(setup.source)
  .then(() => say({ kind: 'opened', summary: pipeline.summary }), fail);

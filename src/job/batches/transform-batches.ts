import type { BatchRange } from '../../domain/frame-batch.ts';
import { codeOf } from '../../domain/errors.ts';
import type { CommittedBatch } from '../../domain/job.ts';
import { frameBytes } from '../../domain/media-info.ts';
import { outputColor } from '../../media/decode/color-conversion.ts';
import { EncoderChooser, whyNotNvenc } from '../../media/encode/choose-encoder.ts';
import { FrameDecoder, frameBuffer } from '../../media/decode/decoder.ts';
import { DecoderChoice } from '../../media/decode/hardware-decoders.ts';
import { outputTiming } from '../../media/encode/output-timing.ts';
import { BATCHES_IN_FLIGHT } from '../../workspace/batch-sizes.ts';
import { sizeOrZero, type FrameFiles } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import { runBatches, type BatchStep } from './batch-loop.ts';
import { commitBatch } from './commit-batch.ts';
import { decodeToFile } from './decode-to-file.ts';
import { tryWithPermit } from '../encoder-permit.ts';
import type { JobContext } from '../job-context.ts';
import type { PlannedJob } from '../prepare/planned-job.ts';
import { ProgressReport } from './progress-report.ts';
import type { Transformer, TransformRequest } from '../../inference-thread/client.ts';

export interface FrameWork {
  readonly planned: PlannedJob;
  readonly folder: JobFolder;
  readonly files: FrameFiles;
  readonly transformer: Transformer;
  /** Batches without a checkpoint, in order. */
  readonly batches: readonly BatchRange[];
  /** The batches that have one. */
  readonly committed: readonly CommittedBatch[];
}

/** What the steps of one batch hand on to each other. */
interface BatchInWork {
  readonly startedAtMs: number;
  inputPath: string;
  outputPath: string;
  readonly framesReady: number;
  pipelineState: Uint8Array | null;
}

/** Takes every batch without a checkpoint through decode, transform and encode, overlapped, and commits it. */
export async function transformBatches(context: JobContext, work: FrameWork): Promise<void> {
  const { planned, folder, files, transformer, batches } = work;
  const { media, index, formats, plan } = planned;
  const { settings, log, signal, job } = context;
  const inputBytes = frameBytes(formats.input);
  const outputBytes = frameBytes(formats.output);
  const timing = outputTiming(index, media);
  const color = outputColor(media.video);
  const { num, den } = formats.outputAspect;
  const framesCommitted = work.committed.reduce((sum, { frameCount }) => sum + frameCount, 0);
  const chooser = new EncoderChooser({
    codec: plan.codec,
    output: formats.output,
    nvenc: settings.encoder.nvenc,
    softwareFallback: settings.encoder.softwareFallback,
    now: Date.now,
    tryNvenc: () =>
      media.video.hdr === null
        ? tryWithPermit(context, () => whyNotNvenc(plan.codec, formats.output, plan.encoder, signal))
        : Promise.resolve('ffmpeg has no way to write HDR metadata with NVENC'),
    onChoice: (sentence) => log.info(sentence),
  });
  const choice = new DecoderChoice(settings.decoder.hardware, media, index, (sentence) => log.info(sentence));
  const report = new ProgressReport(context, index.pts.length, framesCommitted, plan.firstBatchFrames);
  const inWork = new Map<number, BatchInWork>();
  let decoder: FrameDecoder | null = null;
  let framesTransformed = framesCommitted;
  const states = statesBefore(batches, work.committed);

  const decode: BatchStep = async (batch) => {
    const inputPath = await files.place(batch, 'in', batch.frameCount * inputBytes);
    const outputPath = await files.place(batch, 'out', batch.frameCount * outputBytes);
    // The state after frames that a dead process left behind is not known.
    const framesReady = planned.hasState
      ? 0
      : Math.min(batch.frameCount, Math.floor((await sizeOrZero(outputPath)) / outputBytes));
    const state = { startedAtMs: performance.now(), inputPath, outputPath, framesReady, pipelineState: null };
    inWork.set(batch.number, state);
    if (framesReady > 0)
      log.info(
        `found ${framesReady} frames from frame ${batch.firstFrame} on already transformed on the RAM disk; they are used again`,
      );
    if (framesReady === batch.frameCount) return;
    if ((await sizeOrZero(inputPath)) === batch.frameCount * inputBytes) return;
    if (decoder?.nextFrame !== batch.firstFrame) {
      await decoder?.close();
      decoder = new FrameDecoder(media, index, batch.firstFrame, {
        format: formats.input,
        choice,
        maxPixels: settings.limits.inputMegapixels * 1e6,
        signal,
        onNote: (sentence) => log.warn(sentence),
      });
    }
    const frame = frameBuffer(formats.input);
    const moveOn = () => files.moveToSpill(batch, 'in');
    state.inputPath = await decodeToFile(decoder, batch.frameCount, inputPath, frame, moveOn);
  };

  /** Its frames go on from the disk when others have filled the RAM disk since it was placed. */
  const transformSomewhere = async (batch: BatchRange, request: TransformRequest, stop: AbortSignal) => {
    try {
      return await transformer.transform(request, stop);
    } catch (error) {
      const moved = codeOf(error) === 'DISK_FULL' ? await files.moveToSpill(batch, 'out') : null;
      if (moved === null) throw error;
      const framesReady = planned.hasState ? 0 : Math.floor((await sizeOrZero(moved)) / outputBytes);
      mustHave(inWork, batch).outputPath = moved;
      return transformer.transform({ ...request, outputPath: moved, framesReady }, stop);
    }
  };

  const transform: BatchStep = async (batch, stop) => {
    const state = mustHave(inWork, batch);
    const { inputPath, outputPath, framesReady } = state;
    const before = framesTransformed;
    if (framesReady > 0) report.found(before + framesReady);
    if (framesReady < batch.frameCount) {
      const done = await transformSomewhere(
        batch,
        {
          ...{ batch, inputPath, outputPath, framesReady },
          stateBefore: states.get(batch.number - 1) ?? null,
          onProgress: (ready) => report.frames(before + ready),
        },
        stop,
      );
      state.pipelineState = done.pipelineState;
      // Of the whole job only behind its last frame: a batch in the middle may be done again alone.
      const isLast = batch.firstFrame + batch.frameCount === index.pts.length;
      if (isLast && done.conclusion !== null) log.info(done.conclusion);
      states.set(batch.number, done.pipelineState);
      states.delete(batch.number - 1);
      log.debug(`batch ${batch.number}: ${done.framesInferred} of ${batch.frameCount} frames inferred`);
    }
    framesTransformed = before + batch.frameCount;
    report.frames(framesTransformed);
    await files.drop(batch, 'in');
  };

  const encode: BatchStep = async (batch, stop) => {
    const { outputPath, startedAtMs, pipelineState } = mustHave(inWork, batch);
    const segment = {
      framesPath: outputPath,
      format: formats.output,
      firstFrame: batch.firstFrame,
      frameCount: batch.frameCount,
      timing,
      color,
      hdr: media.video.hdr,
      sampleAspectRatio: `${num}/${den}`,
    };
    await commitBatch(
      context,
      folder,
      chooser,
      plan.encoder,
      { batch, segment, pipelineState, startedAtMs },
      stop,
    );
    report.committed();
    inWork.delete(batch.number);
    await files.drop(batch, 'out');
    context.afterBatch();
  };

  log.debug(`job ${job.id}: ${batches.length} batches of up to ${plan.batchFrames} frames`);
  try {
    await runBatches(batches, [decode, transform, encode], BATCHES_IN_FLIGHT, signal);
  } finally {
    await (decoder as FrameDecoder | null)?.close();
  }
}

function mustHave(inWork: ReadonlyMap<number, BatchInWork>, batch: BatchRange): BatchInWork {
  const state = inWork.get(batch.number);
  if (state === undefined) throw new RangeError(`Batch ${batch.number} was never decoded.`);
  return state;
}

/** By number of the batch that they were stored with: those that a batch without a checkpoint begins from. */
function statesBefore(
  batches: readonly BatchRange[],
  committed: readonly CommittedBatch[],
): Map<number, Uint8Array | null> {
  const needed = new Set(batches.map(({ number }) => number - 1));
  return new Map(
    committed
      .filter(({ number }) => needed.has(number))
      .map(({ number, pipelineState }) => [number, pipelineState]),
  );
}

import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { InputRejectedError, ModelError } from '../../domain/errors.ts';
import type { JobPlan } from '../../domain/job.ts';
import { frameBytes, type FrameFormat, type YuvFormat } from '../../domain/media-info.ts';
import { needsWholeFrames, type ModelFile } from '../../domain/models.ts';
import { identifyFfmpeg } from '../../hardware/probe/ffmpeg-facts.ts';
import { chooseCodec } from '../../media/encode/choose-codec.ts';
import type { EncoderSettings } from '../../media/encode/encoder-arguments.ts';
import { whyNotNvenc } from '../../media/encode/try-nvenc.ts';
import type { WantedContainer } from '../../media/join/stream-plan.ts';
import { choosePrecision } from '../../inference/choose-precision.ts';
import { measuredPrecision } from '../../inference/measured-precision.ts';
import { isCpuAddonBuilt } from '../../inference/cpu-engine.ts';
import { batchSizesFor } from '../../workspace/batch-sizes.ts';
import { availableMemoryBytes } from '../../workspace/memory.ts';
import { tryWithPermit } from '../encoder-permit.ts';
import type { JobContext } from '../job-context.ts';
import { chooseChroma } from './decoded-format.ts';
import { chooseWrittenAs } from './written-format.ts';
import { facesAtOnce } from './faces-at-once.ts';
import { kernelBytesPerPixel } from './kernel-memory.ts';
import { chooseTiles, tiledModel, tilesAfterCrashes, type TiledWork } from './tile-sizes.ts';

export interface PlanInputs extends TiledWork {
  readonly embedding: ModelFile | null;
  readonly detector?: ModelFile;
  /** Format in which the decoder delivers frames of the final size; absent: RGB of the size of the source. */
  readonly decodedTo?: YuvFormat | undefined;
  /** Container that the output gets. Absent for still images. */
  readonly container?: WantedContainer;
  readonly formats: { readonly input: FrameFormat; readonly output: FrameFormat };
  /** Whether the whole video is analysed before its frames are processed. */
  readonly hasAnalysis: boolean;
}

/**
 * The plan of a job: the stored one of a resumed job, or a new one. It holds everything that decides how frames look,
 * so that a resumed job continues exactly as it started, whatever memory is free by then. Only a tile size may shrink.
 */
export async function planJob(context: JobContext, inputs: PlanInputs): Promise<JobPlan> {
  const { plan } = context.job;
  const ffmpegVersion = (await identifyFfmpeg())?.version ?? null;
  if (plan === null) {
    assertOutputSize(context, inputs);
    return { ...(await newPlan(context, inputs)), ffmpegVersion };
  }
  assertSameModels(plan, context.job.recipe.model, inputs);
  warnOfOtherFfmpeg(context, plan, ffmpegVersion);
  return { ...tilesAfterCrashes(context, inputs, plan), ffmpegVersion };
}

/** Another ffmpeg does not stop a job, because its output is verified as always; but its frames may look different. */
function warnOfOtherFfmpeg(
  { log }: JobContext,
  { ffmpegVersion: before }: JobPlan,
  now: string | null,
): void {
  if (before === undefined || before === null || now === null || before === now) return;
  log.warn(
    `ffmpeg has changed since this job started (${before}, now ${now}); finished frames are kept, and the others may look slightly different`,
  );
}

/** Checks that the models on the disk are those of the plan. @throws ModelError MODEL_CHECKSUM if they are not */
function assertSameModels(
  plan: JobPlan,
  name: string,
  { model, embedding, enhancer = null, detector }: PlanInputs,
): void {
  if (plan.modelSha256 !== (model?.sha256 ?? null)) {
    throw new ModelError(
      'MODEL_CHECKSUM',
      `The job was started with another version of the model ${name}; to start over, cancel and retry the job.`,
    );
  }
  // Plans made before the face recognition model existed do not mention it, nor the one for close-ups.
  const others = [
    ['the face recognition model', plan.embeddingSha256, embedding],
    ['the model that enhances close-ups', plan.enhancerSha256, enhancer],
    ['the face detector', plan.detectorSha256, detector ?? null],
  ] as const;
  for (const [what, planned, found] of others)
    if (planned !== undefined && planned !== (found?.sha256 ?? null))
      throw new ModelError(
        'MODEL_CHECKSUM',
        `The job was started with another version of ${what}; to start over, cancel and retry the job.`,
      );
}

async function newPlan(context: JobContext, inputs: PlanInputs): Promise<JobPlan> {
  const { home, settings, signal } = context;
  const { recipe } = context.job;
  const { formats, media, model, decodedTo, container, hasAnalysis } = inputs;
  const upscaling = tiledModel(recipe, inputs) ?? model;
  const measured = upscaling === null ? null : await measuredPrecision(home.precisionsFile, upscaling.sha256);
  const hasGpu = upscaling !== null && (inputs.memories?.gpu ?? null) !== null;
  const kernelBytes = hasGpu ? await kernelBytesPerPixel(upscaling) : null;
  const freeBytes = await availableMemoryBytes();
  const sizes = batchSizesFor(
    {
      inputBytes: frameBytes(formats.input),
      outputBytes: frameBytes(formats.output),
      isSlow: model !== null && model.architecture !== 'srvgg',
    },
    freeBytes * settings.workspace.memoryFraction,
    { firstBatchFrames: settings.batch.firstFrames, batchFrames: settings.batch.frames },
  );
  const { crf, preset } = settings.encoder;
  const lowLatency =
    settings.encoder.lowLatency || (recipe.pipeline === 'lip-sync' && recipe.latency === 'low');
  const chroma = chooseChroma(settings, media, container);
  const threads = Math.min(availableParallelism(), 16);
  // Without loss: the palette costs enough.
  const quality = container === 'gif' ? 0 : crf;
  const encoder: EncoderSettings = { crf: quality, preset, threads, chroma, lowLatency };
  const hevcOnNvenc =
    container !== 'webm' &&
    container !== 'gif' &&
    settings.encoder.nvenc &&
    (await tryWithPermit(context, () => whyNotNvenc('hevc', formats.output, encoder, signal))) === null;
  return {
    ...sizes,
    ...(container === 'gif'
      ? { codec: 'h264' }
      : container === 'webm'
        ? { codec: 'vp9' }
        : { codec: chooseCodec(settings.encoder.codec, formats.output, () => hevcOnNvenc) }),
    ...(container === undefined ? {} : { container }),
    encoder,
    ...(decodedTo === undefined ? {} : { decodedTo }),
    ...(container === undefined ? {} : chooseWrittenAs(formats.output, media, chroma)),
    ...(model === null ? {} : { shrinksWith: 'sharp' }),
    // Another model may accept only certain sizes, and how far it looks beyond a tile is not known.
    ...(model === null || model.architecture === null || needsWholeFrames(model)
      ? {}
      : { reusesTiles: true }),
    ...chooseTiles(context, { ...inputs, kernelBytesPerPixel: kernelBytes }),
    ...(isCpuAddonBuilt()
      ? { precision: choosePrecision(settings.engine.precision, upscaling, measured) }
      : {}),
    ...(recipe.pipeline === 'upscale' && recipe.device !== 'cpu' && model !== null
      ? { webGpu: 'undecided' }
      : {}),
    ...(hasAnalysis ? { passes: 2 } : {}),
    ...(recipe.pipeline === 'lip-sync' ? { facesAtOnce: facesAtOnce(freeBytes) } : {}),
    ...(inputs.detector === undefined ? {} : { detectorSha256: inputs.detector.sha256 }),
    modelSha256: model?.sha256 ?? null,
    embeddingSha256: inputs.embedding?.sha256 ?? null,
    ...(inputs.enhancer === undefined ? {} : { enhancerSha256: inputs.enhancer?.sha256 ?? null }),
  };
}

function assertOutputSize({ job, settings }: JobContext, { formats }: PlanInputs): void {
  const { width, height } = formats.output;
  if (width * height > settings.limits.outputMegapixels * 1e6) {
    throw new InputRejectedError(
      'LIMIT_EXCEEDED',
      `${basename(job.sourcePath)} would become ${width}x${height}, which exceeds limits.outputMegapixels (${settings.limits.outputMegapixels}).`,
    );
  }
}

import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { InputRejectedError, ModelError } from '../../domain/errors.ts';
import type { JobPlan } from '../../domain/job.ts';
import { frameBytes, type FrameFormat } from '../../domain/media-info.ts';
import type { ModelFile } from '../../domain/models.ts';
import { chooseCodec, whyNotNvenc } from '../../media/encode/choose-encoder.ts';
import type { EncoderSettings } from '../../media/encode/encoder-arguments.ts';
import { chromaOf } from '../../media/probe/stream-info.ts';
import { batchSizesFor } from '../../workspace/batch-sizes.ts';
import { availableMemoryBytes } from '../../workspace/memory.ts';
import { tryWithPermit } from '../encoder-permit.ts';
import type { JobContext } from '../job-context.ts';
import { chooseTiles, tilesAfterCrashes, type TiledWork } from './job-tiles.ts';

export interface PlanInputs extends TiledWork {
  readonly embedding: ModelFile | null;
  readonly formats: { readonly input: FrameFormat; readonly output: FrameFormat };
}

/**
 * The job's plan: the one it began with, or a new one. Everything that decides what the frames look like is in it, so
 * that a resumed job goes on exactly as it began, whatever memory is free by then; only tiles become smaller where memory was short.
 */
export async function planJob(context: JobContext, inputs: PlanInputs): Promise<JobPlan> {
  const { job, model, embedding } = { ...context, ...inputs };
  if (job.plan !== null) {
    if (job.plan.modelSha256 !== (model?.sha256 ?? null)) {
      throw new ModelError(
        'MODEL_CHECKSUM',
        `The job began with another version of ${job.recipe.model}; cancel and retry it to begin anew.`,
      );
    }
    if (job.plan.embeddingSha256 !== undefined && job.plan.embeddingSha256 !== (embedding?.sha256 ?? null)) {
      throw new ModelError(
        'MODEL_CHECKSUM',
        `The job began ${job.plan.embeddingSha256 === null ? 'without' : 'with another version of'} the model that tells faces apart; cancel and retry it to begin anew.`,
      );
    }
    return tilesAfterCrashes(context, inputs, job.plan);
  }
  assertOutputSize(context, inputs);
  return newPlan(context, inputs);
}

async function newPlan(context: JobContext, inputs: PlanInputs): Promise<JobPlan> {
  const { settings, signal } = context;
  const { formats, media, model } = inputs;
  const freeBytes = await availableMemoryBytes();
  const sizes = batchSizesFor(
    { inputBytes: frameBytes(formats.input), outputBytes: frameBytes(formats.output) },
    freeBytes * settings.workspace.memoryFraction,
    { firstBatchFrames: settings.batch.firstFrames, batchFrames: settings.batch.frames },
  );
  const { crf, preset, lowLatency } = settings.encoder;
  const chroma = settings.encoder.chroma === 'source' ? chromaOf(media.video.pixelFormat) : '420';
  const threads = Math.min(availableParallelism(), 16);
  const encoder: EncoderSettings = { crf, preset, threads, chroma, lowLatency };
  const hevcOnNvenc =
    settings.encoder.nvenc &&
    (await tryWithPermit(context, () => whyNotNvenc('hevc', formats.output, encoder, signal))) === null;
  return {
    ...sizes,
    codec: chooseCodec(settings.encoder.codec, formats.output, () => hevcOnNvenc),
    encoder,
    ...chooseTiles(context, inputs),
    modelSha256: model?.sha256 ?? null,
    embeddingSha256: inputs.embedding?.sha256 ?? null,
  };
}

function assertOutputSize({ job, settings }: JobContext, { formats }: PlanInputs): void {
  const { width, height } = formats.output;
  if (width * height > settings.limits.outputMegapixels * 1e6) {
    throw new InputRejectedError(
      'LIMIT_EXCEEDED',
      `${basename(job.sourcePath)} would become ${width}x${height}, more than the ${settings.limits.outputMegapixels} megapixels allowed (limits.outputMegapixels).`,
    );
  }
}

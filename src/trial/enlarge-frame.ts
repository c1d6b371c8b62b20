import type { Settings } from '../config/settings.ts';
import type { FrameFormat } from '../domain/media-info.ts';
import type { ModelFile } from '../domain/models.ts';
import type { UpscaleRecipe } from '../domain/recipe.ts';
import { choosePrecision } from '../inference/choose-precision.ts';
import { isCpuAddonBuilt } from '../inference/cpu-engine.ts';
import { measuredPrecision } from '../inference/measured-precision.ts';
import type { Engine } from '../inference/engine.ts';
import { usableThreads } from '../inference/usable-threads.ts';
import { readGroupLimits } from '../lib/control-groups.ts';
import { createPipeline } from '../pipelines/create-pipeline.ts';
import { describePipeline } from '../pipelines/describe-pipeline.ts';
import { chooseTile } from '../pipelines/upscale/choose-tile.ts';
import { availableMemoryBytes } from '../workspace/memory.ts';
import type { TakenFrame } from './take-frame.ts';

export interface Enlarged {
  readonly format: FrameFormat;
  readonly pixels: Buffer;
  /** Which engine ran which model. */
  readonly summary: string;
}

/**
 * Upscales one frame as a job with this recipe would.
 *
 * @param model null for `lanczos`
 */
export async function enlargeFrame(
  { media, image }: TakenFrame,
  recipe: UpscaleRecipe,
  model: ModelFile | null,
  { engine, workspace }: Pick<Settings, 'engine' | 'workspace'>,
  engines: readonly Engine[],
  precisionsFile: string,
): Promise<Enlarged> {
  const { width, height } = image;
  const memoryBytes = (await availableMemoryBytes()) * (1 - workspace.memoryFraction);
  const tile =
    model === null ? null : chooseTile({ requested: recipe.tile, width, height, model, memoryBytes });
  const measured = model === null ? null : await measuredPrecision(precisionsFile, model.sha256);
  const precision = isCpuAddonBuilt() ? choosePrecision(engine.precision, model, measured) : undefined;
  const threads = usableThreads(engine.threads, await readGroupLimits());
  const pipeline = createPipeline(recipe, {
    ...{ model, embedding: null, tile, threads, precision, webGpu: 'undecided', engines },
    onInferred: () => undefined,
    onStepDown: () => undefined,
  });
  try {
    await pipeline.open(media);
    const { signal } = new AbortController();
    const frames = pipeline.process([{ number: 0, pixels: image.pixels }], null, signal);
    const first = await frames[Symbol.asyncIterator]().next();
    if (first.done === true) throw new TypeError('The pipeline gave no frame.');
    const format = describePipeline(recipe, media).formats.output;
    return { format, pixels: first.value.pixels, summary: pipeline.summary };
  } finally {
    await pipeline.close();
  }
}

import type { Settings } from '../config/settings.ts';
import type { FrameFormat, MediaInfo } from '../domain/media-info.ts';
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

/** Frames of a source, or the same part of them, with the size that `media` says. */
export interface FramesToEnlarge {
  readonly media: MediaInfo;
  readonly frames: readonly Buffer[];
}

export interface Enlarged {
  readonly format: FrameFormat;
  /** In the order of the source. */
  readonly frames: readonly Buffer[];
  /** Which engine ran which model. */
  readonly summary: string;
}

/**
 * Upscales frames as a job with this recipe would.
 *
 * @param model null for `lanczos`
 * @param onFrame called with the number of frames that are done
 */
export async function enlargeFrames(
  { media, frames }: FramesToEnlarge,
  recipe: UpscaleRecipe,
  model: ModelFile | null,
  { engine, workspace }: Pick<Settings, 'engine' | 'workspace'>,
  engines: readonly Engine[],
  precisionsFile: string,
  onFrame: (done: number) => void = () => undefined,
): Promise<Enlarged> {
  const { width, height } = media.video;
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
    const numbered = frames.map((pixels, number) => ({ number, pixels }));
    const enlarged: Buffer[] = [];
    for await (const { pixels } of pipeline.process(numbered, null, signal)) {
      // Pipelines may use the memory of a frame again.
      enlarged.push(Buffer.from(pixels));
      onFrame(enlarged.length);
    }
    const format = describePipeline(recipe, media).formats.output;
    return { format, frames: enlarged, summary: pipeline.summary };
  } finally {
    await pipeline.close();
  }
}

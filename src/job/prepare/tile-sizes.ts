import type { JobPlan } from '../../domain/job.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { ModelError } from '../../domain/errors.ts';
import { needsWholeFrames, type ModelFile } from '../../domain/models.ts';
import type { Recipe } from '../../domain/recipe.ts';
import { batchForVideoMemory, GPU_LANES, usableVideoMemory } from '../../hardware/video-memory.ts';
import { chooseTile, SMALLEST_TILE, whyNotWhole } from '../../pipelines/upscale/choose-tile.ts';
import { chooseGpuTile } from '../../pipelines/upscale/choose-gpu-tile.ts';
import type { DeviceMemories } from './device-memory.ts';
import type { JobContext } from '../job-context.ts';

export interface TiledWork {
  readonly media: MediaInfo;
  readonly model: ModelFile | null;
  readonly enhancer?: ModelFile | null;
  /** Free memory of each device; null where frames are not tiled. */
  readonly memories: DeviceMemories | null;
  /** GPU memory that our kernels need for each pixel of this model; absent or null: other engines use the GPU. */
  readonly kernelBytesPerPixel?: number | null;
}

/** Tile size on a GPU that does not report its memory. */
const DEFAULT_GPU_TILE = 256;
/** GPU memory of a frame for each pixel of the source: 16-bit RGB, and that upscaled four times along each edge. */
const FRAME_BYTES_PER_PIXEL = 2 * 3 * (1 + 4 ** 2);

/** The model whose input can be cut into tiles: an upscaling model, also that of close-ups; null if there is none. */
export function tiledModel(
  recipe: Recipe,
  { model, enhancer = null }: Pick<TiledWork, 'model' | 'enhancer'>,
): ModelFile | null {
  return recipe.pipeline === 'upscale' ? model : enhancer;
}

/**
 * The tile sizes of a new job on each device: those of the recipe, or for `auto` the largest that fit free memory.
 *
 * @throws ModelError MODEL_UNSUITABLE if the model needs whole frames and the memory for them is missing
 */
export function chooseTiles(
  context: JobContext,
  work: TiledWork,
): Pick<JobPlan, 'tile' | 'gpuTile' | 'otherGpuTile'> {
  const { settings, job } = context;
  const { media, memories } = work;
  const model = tiledModel(job.recipe, work);
  if (model === null || memories === null) return { tile: null };
  const requested = job.recipe.pipeline === 'upscale' ? job.recipe.tile : 'auto';
  const { device } = job.recipe;
  const request = { requested, width: media.video.width, height: media.video.height, model };
  const { cpu, gpu } = memories;
  const modelShare = 1 - settings.workspace.memoryFraction;
  const memoryBytes = cpu.freeBytes * modelShare;
  const tile = chooseTile({ ...request, memoryBytes });
  // Any GPU may have to give way to the CPU. What other programs hold now may be free when the job runs again.
  const whyNot =
    device === 'gpu-only' ? null : whyNotWhole({ ...request, memoryBytes: cpu.totalBytes * modelShare });
  if (whyNot !== null) throw new ModelError('MODEL_UNSUITABLE', whyNot);
  if (device === 'cpu') return { tile };
  if (requested === 'auto' && needsWholeFrames(model)) return { tile, gpuTile: tile };
  if (gpu === null) {
    const tileWithoutMemory = requested === 'auto' ? DEFAULT_GPU_TILE : requested;
    return { tile, gpuTile: chooseTile({ ...request, requested: tileWithoutMemory, memoryBytes }) };
  }
  const { max, batch } = settings.streams;
  const images = Math.max(GPU_LANES, Math.min(max, batchForVideoMemory(batch, gpu.freeBytes)));
  const otherTile = chooseTile({ ...request, memoryBytes: usableVideoMemory(gpu) / images });
  const { kernelBytesPerPixel: bytesPerPixel = null } = work;
  if (requested === 'auto' && bytesPerPixel !== null) {
    const frameBytes = request.width * request.height * FRAME_BYTES_PER_PIXEL;
    const fit = { frameBytes, bytesPerPixel, usableBytes: usableVideoMemory(gpu), mostLanes: GPU_LANES };
    const gpuTile = chooseGpuTile({ ...request, overlap: model.overlap, ...fit }).tile;
    return { tile, gpuTile, otherGpuTile: otherTile };
  }
  return { tile, gpuTile: otherTile };
}

/**
 * The plan of a resumed job with its tile sizes. On the CPU, running out of memory is no error that can be caught: the
 * kernel or the allocator ends the process. After two workers in a row have died before a batch was done, tiles get half
 * the edge.
 */
export function tilesAfterCrashes(context: JobContext, work: TiledWork, plan: JobPlan): JobPlan {
  const { job, log } = context;
  // A committed batch resets the count, and the current attempt is already counted.
  const { media, memories } = work;
  const model = tiledModel(job.recipe, work);
  if (model === null || needsWholeFrames(model)) return plan;
  if (job.errorCode !== 'WORKER_CRASHED' || job.attempts < 3) return plan;
  const edge = Math.max(media.video.width, media.video.height);
  const half = (tile: number | null): number =>
    Math.max(SMALLEST_TILE, Math.floor(Math.min(tile ?? edge, edge) / 2));
  const smaller = {
    ...plan,
    tile: half(plan.tile),
    ...(plan.gpuTile === undefined ? {} : { gpuTile: half(plan.gpuTile) }),
    ...(plan.otherGpuTile === undefined ? {} : { otherGpuTile: half(plan.otherGpuTile) }),
  };
  const hasGpu = plan.gpuTile !== undefined && memories?.gpu !== null;
  const sizes = [
    smaller.tile === plan.tile ? null : `${smaller.tile} px${hasGpu ? ' on the CPU' : ''}`,
    smaller.gpuTile === plan.gpuTile || !hasGpu ? null : `${smaller.gpuTile} px on the GPU`,
  ].filter((size) => size !== null);
  if (sizes.length > 0)
    log.warn(
      `the worker crashed again before finishing a batch, perhaps because memory ran out; tile size reduced to ${sizes.join(' and ')}`,
    );
  return smaller;
}

import type { JobPlan } from '../../domain/job.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import type { ModelFile } from '../../domain/models.ts';
import type { Recipe } from '../../domain/recipe.ts';
import { batchForVideoMemory, usableVideoMemory } from '../../hardware/video-memory.ts';
import { chooseTile, SMALLEST_TILE } from '../../pipelines/upscale/choose-tile.ts';
import type { DeviceMemories } from './device-memory.ts';
import type { JobContext } from '../job-context.ts';

export interface TiledWork {
  readonly media: MediaInfo;
  readonly model: ModelFile | null;
  /** null where nothing is tiled. */
  readonly memories: DeviceMemories | null;
}

/** Frames that our kernels have on the GPU at once; onnxruntime has one of each job. */
const GPU_LANES = 3;
/** On a GPU that does not tell how much memory it has (B4). */
const BLIND_GPU_TILE = 256;

/** Whether a job's frames are cut into tiles where memory is short. */
export function isTiled(recipe: Recipe, model: ModelFile | null): boolean {
  return model !== null && recipe.pipeline === 'upscale';
}

/**
 * The tiles of a new job on each device: what the recipe asks for; with `auto` what free memory allows (D7).
 */
export function chooseTiles(context: JobContext, work: TiledWork): Pick<JobPlan, 'tile' | 'gpuTile'> {
  const { settings, job } = context;
  const { media, model, memories } = work;
  if (model === null || memories === null || job.recipe.pipeline !== 'upscale') return { tile: null };
  const { tile: requested, device } = job.recipe;
  const request = { requested, width: media.video.width, height: media.video.height, model };
  const { cpu, gpu } = memories;
  const memoryBytes = cpu.freeBytes * (1 - settings.workspace.memoryFraction);
  const tile = chooseTile({ ...request, memoryBytes });
  if (device === 'cpu') return { tile };
  if (gpu === null) {
    const blind = requested === 'auto' ? BLIND_GPU_TILE : requested;
    return { tile, gpuTile: chooseTile({ ...request, requested: blind, memoryBytes }) };
  }
  const { max, batch } = settings.streams;
  const images = Math.max(GPU_LANES, Math.min(max, batchForVideoMemory(batch, gpu.freeBytes)));
  const each = usableVideoMemory(gpu) / images;
  return { tile, gpuTile: chooseTile({ ...request, memoryBytes: each }) };
}

/**
 * The tiles of a job that is resumed. On the CPU want of memory is no error that could be caught: the kernel, or the allocator, ends the process.
 * When two workers in a row died before a batch was done, the next one takes tiles of half the edge (B5).
 */
export function tilesAfterCrashes(context: JobContext, { media, model }: TiledWork, plan: JobPlan): JobPlan {
  const { job, log } = context;
  // A batch that is committed begins the count anew, and this try counts already.
  if (!isTiled(job.recipe, model) || job.errorCode !== 'WORKER_CRASHED' || job.attempts < 3) return plan;
  const edge = Math.max(media.video.width, media.video.height);
  const half = (tile: number | null): number =>
    Math.max(SMALLEST_TILE, Math.floor(Math.min(tile ?? edge, edge) / 2));
  const smaller = {
    ...plan,
    tile: half(plan.tile),
    ...(plan.gpuTile === undefined ? {} : { gpuTile: half(plan.gpuTile) }),
  };
  log.warn(
    `two workers died before a batch was done; memory may have been short: from here on in tiles of ${smaller.tile} px`,
  );
  return smaller;
}

/**
 * Writes down that a frame passed in smaller tiles: into the job's plan, so that the job goes on with them when it is
 * resumed, as it would have done undisturbed.
 *
 * @returns the plan from now on
 */
export function rememberTile(
  context: JobContext,
  { plan, framesTotal }: { readonly plan: JobPlan; readonly framesTotal: number },
  device: 'cpu' | 'gpu',
  tile: number,
): JobPlan {
  const { queue, lease, log } = context;
  const smaller = { ...plan, ...(device === 'gpu' ? { gpuTile: tile } : { tile }) };
  queue.progress.setPlan(lease, smaller, framesTotal);
  log.warn(`memory was short on the ${device.toUpperCase()}: from here on in tiles of ${tile} px`);
  return smaller;
}

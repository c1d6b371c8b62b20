import type { JobPlan } from '../domain/job.ts';
import type { MediaInfo } from '../domain/media-info.ts';
import type { NetworkFile } from '../domain/networks.ts';
import type { Recipe } from '../domain/recipe.ts';
import { batchForVideoMemory, usableVideoMemory } from '../hardware/video-memory.ts';
import { chooseTile, SMALLEST_TILE } from '../pipelines/upscale/choose-tile.ts';
import type { TileKey } from '../queue/tile-size-store.ts';
import type { DeviceMemories, DeviceMemory } from './device-memory.ts';
import type { JobContext } from './job-context.ts';

export interface TiledWork {
  readonly media: MediaInfo;
  readonly network: NetworkFile | null;
  /** null where nothing is tiled. */
  readonly memories: DeviceMemories | null;
}

/** Frames that our kernels have on the card at once; onnxruntime has one of each job. */
const GPU_LANES = 3;
/** On a card that does not tell how much memory it has (B4). */
const BLIND_GPU_TILE = 256;

/** Whether a job's frames are cut into tiles where memory is short. */
export function isTiled(recipe: Recipe, network: NetworkFile | null): boolean {
  return network !== null && recipe.pipeline === 'upscale';
}

/**
 * The tiles of a new job on each device: what the recipe asks for; with `auto` what free memory allows, and no more than
 * what worked when memory was short lately (D7).
 */
export function chooseTiles(context: JobContext, work: TiledWork): Pick<JobPlan, 'tile' | 'gpuTile'> {
  const { queue, settings, job } = context;
  const { media, network, memories } = work;
  if (network === null || memories === null || job.recipe.pipeline !== 'upscale') return { tile: null };
  const { tile: requested, device } = job.recipe;
  const wish = { requested, width: media.video.width, height: media.video.height, network };
  const atMost = (chosen: number | null, memory: DeviceMemory): number | null => {
    if (requested !== 'auto') return chosen;
    const worked = queue.tileSizes.recall(tileKey(context, work, memory), Date.now());
    return worked === null ? chosen : Math.min(worked, chosen ?? Infinity);
  };
  const { cpu, gpu } = memories;
  const memoryBytes = cpu.freeBytes * (1 - settings.workspace.memoryFraction);
  const tile = atMost(chooseTile({ ...wish, memoryBytes }), cpu);
  if (device === 'cpu') return { tile };
  if (gpu === null) {
    const blind = requested === 'auto' ? BLIND_GPU_TILE : requested;
    return { tile, gpuTile: chooseTile({ ...wish, requested: blind, memoryBytes }) };
  }
  const { max, batch } = settings.streams;
  const pictures = Math.max(GPU_LANES, Math.min(max, batchForVideoMemory(batch, gpu.freeBytes)));
  const each = usableVideoMemory(gpu) / pictures;
  return { tile, gpuTile: atMost(chooseTile({ ...wish, memoryBytes: each }), gpu) };
}

/**
 * The tiles of a job that is resumed. On the CPU want of memory is no error that could be caught: the kernel, or the allocator, ends the process.
 * When two workers in a row died before a batch was done, the next one takes tiles of half the edge (B5).
 */
export function tilesAfterCrashes(
  context: JobContext,
  { media, network }: TiledWork,
  plan: JobPlan,
): JobPlan {
  const { job, log } = context;
  // A batch that is committed begins the count anew, and this try counts already.
  if (!isTiled(job.recipe, network) || job.errorCode !== 'WORKER_CRASHED' || job.attempts < 3) return plan;
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
 * resumed, as it would have done undisturbed, and for jobs to come.
 *
 * @returns the plan from now on
 */
export function rememberTile(
  context: JobContext,
  { plan, framesTotal, ...work }: TiledWork & { readonly plan: JobPlan; readonly framesTotal: number },
  device: 'cpu' | 'gpu',
  tile: number,
): JobPlan {
  const { queue, lease, log } = context;
  const smaller = { ...plan, ...(device === 'gpu' ? { gpuTile: tile } : { tile }) };
  queue.progress.setPlan(lease, smaller, framesTotal);
  log.warn(`memory was short on the ${device.toUpperCase()}: from here on in tiles of ${tile} px`);
  const memory = work.memories?.[device] ?? null;
  if (memory !== null) queue.tileSizes.remember(lease, tileKey(context, work, memory), tile, Date.now());
  return smaller;
}

function tileKey({ job }: JobContext, { media, network }: TiledWork, memory: DeviceMemory): TileKey {
  return {
    device: memory.name,
    memoryBytes: memory.totalBytes,
    networkSha256: network?.sha256 ?? '',
    scale: job.recipe.pipeline === 'upscale' ? job.recipe.scale : 1,
    width: media.video.width,
    height: media.video.height,
  };
}

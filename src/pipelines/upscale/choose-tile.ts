import type { ModelFile } from '../../domain/models.ts';

export interface TileRequest {
  readonly requested: number | 'auto';
  /** Width and height of the source in pixels. */
  readonly width: number;
  readonly height: number;
  readonly model: Pick<ModelFile, 'architecture' | 'overlap'>;
  /** Memory that one run of the model may use. */
  readonly memoryBytes: number;
}

/**
 * Memory of a run per source pixel: the peak resident memory of onnxruntime 1.30 on the CPU, measured at 320x240 and
 * 640x480 (SRVGG with 32 layers: 1.4 kB) and 160x120 (RRDB: 12.7 kB), plus a third. GPUs were not measured; they should
 * need less, because half precision takes half the memory.
 */
const BYTES_PER_PIXEL = { srvgg: 1900, rrdb: 17_000 } as const;

/** Smaller tiles would consist mostly of overlap. */
export const SMALLEST_TILE = 32;
const TILE_STEP = 32;

/**
 * The edge of a tile's core in source pixels, or null for whole frames. With `auto`, frames are not tiled if they fit
 * into memory, because overlaps are computed twice; otherwise the largest tile that fits is chosen.
 */
export function chooseTile({ requested, width, height, model, memoryBytes }: TileRequest): number | null {
  if (requested !== 'auto') return requested >= Math.max(width, height) ? null : requested;
  // The memory use of a user's own model is unknown, so assume the larger of the known ones.
  const bytesPerPixel = BYTES_PER_PIXEL[model.architecture ?? 'rrdb'];
  const pixels = memoryBytes / bytesPerPixel;
  if (width * height <= pixels) return null;
  const window = Math.floor(Math.sqrt(pixels));
  const core = Math.floor((window - 2 * model.overlap) / TILE_STEP) * TILE_STEP;
  return Math.max(SMALLEST_TILE, core);
}

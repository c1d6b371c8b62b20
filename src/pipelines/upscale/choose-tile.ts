import type { ModelFile } from '../../domain/models.ts';

export interface TileRequest {
  readonly requested: number | 'auto';
  /** Of the source, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly model: Pick<ModelFile, 'architecture' | 'overlap'>;
  /** What a run may use. */
  readonly memoryBytes: number;
}

/**
 * Memory of a run for each source pixel, measured as peak resident memory of onnxruntime 1.30 on the CPU at 320x240 and
 * 640x480 (SRVGG with 32 layers: 1.4 kB) and 160x120 (RRDB: 12.7 kB), with a third on top. No GPU was measured: there it is an
 * upper bound, since the same numbers take half as much in half precision.
 */
const BYTES_PER_PIXEL = { srvgg: 1900, rrdb: 17_000 } as const;

/** What is smaller is mostly overlap: memory that is short by more is not ours to save. */
export const SMALLEST_TILE = 32;
const TILE_STEP = 32;

/**
 * The edge of a tile's core in source pixels, or null for whole frames: what was asked for; with `auto` the whole frame
 * where it fits into memory, because every overlap is work done twice, else the largest tile that fits (B4).
 */
export function chooseTile({ requested, width, height, model, memoryBytes }: TileRequest): number | null {
  if (requested !== 'auto') return requested >= Math.max(width, height) ? null : requested;
  // Nothing is known of a person's own model: the hungrier of ours stands for it.
  const bytesPerPixel = BYTES_PER_PIXEL[model.architecture ?? 'rrdb'];
  const pixels = memoryBytes / bytesPerPixel;
  if (width * height <= pixels) return null;
  const window = Math.floor(Math.sqrt(pixels));
  const core = Math.floor((window - 2 * model.overlap) / TILE_STEP) * TILE_STEP;
  return Math.max(SMALLEST_TILE, core);
}

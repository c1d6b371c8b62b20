import { needsWholeFrames, type ModelFile } from '../../domain/models.ts';

export interface TileRequest {
  readonly requested: number | 'auto';
  /** Width and height of the source in pixels. */
  readonly width: number;
  readonly height: number;
  readonly model: Pick<ModelFile, 'architecture' | 'overlap' | 'scale'>;
  /** Memory that one run of the model may use. */
  readonly memoryBytes: number;
}

/**
 * Memory of a run per source pixel: the peak resident memory of onnxruntime 1.30 on the CPU, measured at 320x240 and
 * 640x480 (SRVGG with 32 layers: 1.4 kB), 160x120 (RRDB: 12.7 kB), 240x360 (Real-CUGAN x4: 8.7 kB) and 320x240 (Real-CUGAN x3: 15.8 kB, x2: 6.3 kB), plus a third. GPUs were not measured; they should
 * need less, because half precision takes half the memory.
 */
const BYTES_PER_PIXEL = { srvgg: 1900, rrdb: 17_000, cugan: 11_600 } as const;
/** Half of x3 works at three times the edge of the source; in x2 and x4, it works at twice the edge. */
const CUGAN_X3_BYTES_PER_PIXEL = 21_000;

/** Smaller tiles would consist mostly of overlap. */
export const SMALLEST_TILE = 32;
const TILE_STEP = 32;

/**
 * The edge of a tile's core in source pixels, or null for whole frames. With `auto`, frames are not tiled if they fit
 * into memory, because overlaps are computed twice; otherwise the largest tile that fits is chosen, unless the model needs
 * whole frames.
 */
export function chooseTile({ requested, width, height, model, memoryBytes }: TileRequest): number | null {
  if (requested !== 'auto') return requested >= Math.max(width, height) ? null : requested;
  if (needsWholeFrames(model)) return null;
  const pixels = memoryBytes / bytesPerPixel(model);
  if (width * height <= pixels) return null;
  const window = Math.floor(Math.sqrt(pixels));
  const core = Math.floor((window - 2 * model.overlap) / TILE_STEP) * TILE_STEP;
  return Math.max(SMALLEST_TILE, core);
}

/** Why a model that needs whole frames cannot have them, as a sentence; null if it can, or can use tiles. */
export function whyNotWhole({ requested, width, height, model, memoryBytes }: TileRequest): string | null {
  if (requested !== 'auto' || !needsWholeFrames(model)) return null;
  const neededBytes = width * height * bytesPerPixel(model);
  if (neededBytes <= memoryBytes) return null;
  const [needed, usable] = [neededBytes, memoryBytes].map((bytes) => (bytes / 1e9).toFixed(1));
  return `Real-CUGAN needs about ${needed} GB of memory for a whole frame of ${width}x${height}, and only ${usable} GB can be used; use another model, or set a tile size in the recipe and accept that edges of tiles may be visible.`;
}

/** The memory use of a user's own model is unknown, so assume the larger of those of Real-ESRGAN. */
function bytesPerPixel({ architecture, scale }: TileRequest['model']): number {
  if (architecture === 'cugan' && scale === 3) return CUGAN_X3_BYTES_PER_PIXEL;
  return BYTES_PER_PIXEL[architecture ?? 'rrdb'];
}

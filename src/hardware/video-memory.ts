/** Share of the free memory that is left to other programs. */
const MARGIN = 0.15;
/** Largest share of the total memory that all programs together may use. */
const MOST_USED = 0.875;
const GIB = 1024 ** 3;

/** Frames that the CUDA engine keeps on the GPU at the same time; onnxruntime keeps one for each job. */
export const GPU_LANES = 3;

/** Bytes of GPU memory that models may use now. */
export function usableVideoMemory(gpu: { readonly totalBytes: number; readonly freeBytes: number }): number {
  const { totalBytes, freeBytes } = gpu;
  const usedBytes = totalBytes - freeBytes;
  return Math.max(0, Math.min(freeBytes * (1 - MARGIN), totalBytes * MOST_USED - usedBytes));
}

/** Images per inference request: all that are requested with at least 8 GiB free, half with 4 GiB, a quarter with less. */
export function batchForVideoMemory(request: number, freeBytes: number): number {
  const share = freeBytes >= 8 * GIB ? 1 : freeBytes >= 4 * GIB ? 0.5 : 0.25;
  return Math.max(1, Math.floor(request * share));
}

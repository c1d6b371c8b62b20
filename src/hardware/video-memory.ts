/** Of what is free; other programs take some, too. */
const MARGIN = 0.15;
/** Of the whole GPU, by whomever. */
const MOST_USED = 0.875;
const GIB = 1024 ** 3;

/** Bytes of a GPU that models may take now (D7). */
export function usableVideoMemory(gpu: { readonly totalBytes: number; readonly freeBytes: number }): number {
  const { totalBytes, freeBytes } = gpu;
  const usedBytes = totalBytes - freeBytes;
  return Math.max(0, Math.min(freeBytes * (1 - MARGIN), totalBytes * MOST_USED - usedBytes));
}

/** Images of several jobs in one run: all with at least 8 GB free, half with 4 GB, a quarter with less (D7). */
export function batchForVideoMemory(request: number, freeBytes: number): number {
  const share = freeBytes >= 8 * GIB ? 1 : freeBytes >= 4 * GIB ? 0.5 : 0.25;
  return Math.max(1, Math.floor(request * share));
}

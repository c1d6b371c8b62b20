/** More runs than this do not change which of two engines is faster. */
const RUNS = 3;
/** After a run that takes longer, the time of the next one is hardly another. */
const LONG_RUN_MS = 1000;

/** A first run that takes longer is slow itself: no driver compiles shaders for this long. */
const LONG_FIRST_RUN_MS = 20_000;

/**
 * Milliseconds of the fastest of a few runs. The first is not counted, because it compiles shaders and takes memory, unless
 * it takes so long that another one would not be faster.
 */
export async function fastestRun(run: () => Promise<unknown>): Promise<number> {
  const begunAtMs = performance.now();
  await run();
  const firstMs = performance.now() - begunAtMs;
  if (firstMs > LONG_FIRST_RUN_MS) return firstMs;
  let fastest = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const startedAtMs = performance.now();
    await run();
    const ms = performance.now() - startedAtMs;
    fastest = Math.min(fastest, ms);
    if (ms > LONG_RUN_MS) break;
  }
  return fastest;
}

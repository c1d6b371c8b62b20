import type { BatchRange } from '../../domain/frame-batch.ts';
import { Semaphore } from '../../lib/semaphore.ts';

/** One step of every batch. Steps are called for one batch at a time, in the batches' order. */
export type BatchStep = (batch: BatchRange, signal: AbortSignal) => Promise<void>;

/**
 * Takes batches through `steps` (decode, transform, encode), each step working on another batch at the same time.
 * At most `batchesInFlight` batches are begun and not finished, so memory does not depend on how many there are.
 *
 * The first failure stops all steps; it is thrown when every step has come to rest.
 */
export async function runBatches(
  batches: Iterable<BatchRange>,
  steps: readonly BatchStep[],
  batchesInFlight: number,
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const combined = AbortSignal.any([signal, failure.signal]);
  const inFlight = new Semaphore(batchesInFlight);
  const lanes = steps.map((step) => ({ step, turn: new Semaphore(1) }));

  const carry = async (batch: BatchRange): Promise<void> => {
    for (const { step, turn } of lanes) {
      await turn.take(combined);
      try {
        combined.throwIfAborted();
        await step(batch, combined);
      } finally {
        turn.give();
      }
    }
  };

  const running = new Set<Promise<void>>();
  // Of several aborts the first one's reason stays.
  const fail = (error: unknown): void => failure.abort(error);
  for (const batch of batches) {
    try {
      await inFlight.take(combined);
    } catch (error) {
      fail(error);
      break;
    }
    const carried = carry(batch)
      .catch(fail)
      .finally(() => {
        running.delete(carried);
        inFlight.give();
      });
    running.add(carried);
  }
  await Promise.all(running);
  failure.signal.throwIfAborted();
}

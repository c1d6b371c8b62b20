import { WorkerMemoryError } from '../../domain/errors.ts';

/**
 * Limits the memory of this process, because memory that a library never frees would bring the machine down within weeks.
 * Called after each committed batch, so that every worker makes progress, however much memory its jobs need.
 *
 * @throws WorkerMemoryError when this process holds more than `limitBytes`
 */
export function assertWorkerMemory(limitBytes: number, heldBytes = process.memoryUsage.rss()): void {
  if (heldBytes <= limitBytes) return;
  const [held, limit] = [heldBytes, limitBytes].map((bytes) => Math.round(bytes / 1024 ** 2));
  throw new WorkerMemoryError(`worker memory is ${held} MB (limit: ${limit} MB); restarting the worker`);
}

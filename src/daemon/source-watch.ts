import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { toError } from '../domain/errors.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';

const SHORTEST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 20_000;

/** The pause between two checks: they take at most a hundredth of the time, unless they take longer than 200 ms. */
export function pauseAfterCheckMs(lastCheckMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, 100 * lastCheckMs));
}

/**
 * Queues jobs again that failed because their source was missing, once it is back. A scan of `input/` notices only files
 * that it has seen disappear, and none outside that folder. A source is back when two checks in a row find the same file, as
 * it may take a while to be copied. One check at a time.
 */
export class SourceWatch {
  readonly #queue: Queue;
  readonly #log: Logger;
  readonly #now: () => number;
  /** What the last check found of the missing sources, by job. */
  #found = new Map<number, string>();
  #nextAtMs = 0;
  #isChecking = false;

  constructor(queue: Queue, log: Logger, now: () => number) {
    this.#queue = queue;
    this.#log = log;
    this.#now = now;
  }

  /** Checks the missing sources if a check is due; does not wait for disks. */
  tick(): void {
    if (this.#isChecking || this.#now() < this.#nextAtMs) return;
    this.#isChecking = true;
    const startedAtMs = this.#now();
    void this.#check()
      .catch((error: unknown) =>
        this.#log.warn(`cannot check whether missing sources are back: ${toError(error).message}; retrying`),
      )
      .finally(() => {
        this.#isChecking = false;
        const endedAtMs = this.#now();
        this.#nextAtMs = endedAtMs + pauseAfterCheckMs(endedAtMs - startedAtMs);
      });
  }

  async #check(): Promise<void> {
    const { jobs, control } = this.#queue;
    const before = this.#found;
    this.#found = new Map();
    for (const { id, sourcePath, recipe, origin, errorCode } of jobs.listJobs({ state: 'failed' })) {
      if (errorCode !== 'SOURCE_MISSING' || origin === 'run') continue;
      const speech = recipe.pipeline === 'lip-sync' ? recipe.audio : undefined;
      const found = await describeFiles(speech === undefined ? [sourcePath] : [sourcePath, speech]);
      if (found === null) continue;
      this.#found.set(id, found);
      if (before.get(id) === found && control.retryJob(id))
        this.#log.info(`${basename(sourcePath)} is back; job ${id} queued again`);
    }
  }
}

/** Sizes and times of files; null if one of them is missing. */
async function describeFiles(paths: readonly string[]): Promise<string | null> {
  try {
    const stats = await Promise.all(paths.map((path) => stat(path)));
    return stats.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join(' ');
  } catch {
    return null;
  }
}

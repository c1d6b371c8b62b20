import type { LogEntry } from './log-entry.ts';

/** A log entry with a number that grows by 1 with each entry. */
export interface NumberedEntry extends LogEntry {
  readonly number: number;
}

/** The latest entries of the log, in memory, for the page. */
export class LogTail {
  readonly #limit: number;
  readonly #listeners = new Set<(entry: NumberedEntry) => void>();
  #entries: NumberedEntry[] = [];
  #count = 0;

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  add(entry: LogEntry): void {
    this.#count++;
    const numbered = { ...entry, number: this.#count };
    this.#entries.push(numbered);
    // Cut rarely, because each cut copies the list.
    if (this.#entries.length > 2 * this.#limit) this.#entries = this.#entries.slice(-this.#limit);
    for (const listener of this.#listeners) listener(numbered);
  }

  /** The latest entries, oldest first. */
  list(): readonly NumberedEntry[] {
    return this.#entries.slice(-this.#limit);
  }

  /** Calls `listener` with each further entry. @returns a function that ends this */
  follow(listener: (entry: NumberedEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { findReadOnly } from '../workspace/find-read-only.ts';

const LOOK_EVERY_MS = 2_000;
/** A dead network share does not answer; the loop of the daemon must not wait for it. */
const PATIENCE_MS = 100;

/**
 * Whether work should pause because a folder turned read-only, as Linux does with a disk that has errors. States: writable →
 * read-only → writable, each after one check.
 */
export class DiskWatch {
  readonly #folders: readonly string[];
  readonly #now: () => number;
  #looking: Promise<void> | null = null;
  #nextLookMs = 0;
  #readOnly: string | null = null;

  /** @param now milliseconds on a monotonic clock */
  constructor(folders: readonly string[], now: () => number) {
    this.#folders = folders;
    this.#now = now;
  }

  /** The folder that was read-only at the last check; null if all could be written. */
  get readOnly(): string | null {
    return this.#readOnly;
  }

  /** Checks the folders, at most every two seconds. @param isOfInterest whether there is work that needs them */
  async look(isOfInterest: boolean): Promise<void> {
    if (!isOfInterest && this.#readOnly === null) return;
    if (this.#looking === null) {
      if (this.#now() < this.#nextLookMs) return;
      this.#looking = this.#look().finally(() => (this.#looking = null));
    }
    await Promise.race([this.#looking, delay(PATIENCE_MS, undefined, { ref: false })]);
  }

  async #look(): Promise<void> {
    this.#readOnly = await findReadOnly(this.#folders);
    this.#nextLookMs = this.#now() + LOOK_EVERY_MS;
  }
}

import type { Memory } from './memory.ts';

interface Copy {
  readonly to: number;
  readonly bytes: Uint8Array;
}

/**
 * The asynchronous copies of a block. They arrive when a thread waits for them, as late as `cp.async` allows; until then their
 * destination holds nothing usable, as they may also arrive at once.
 */
export class Copies {
  readonly #shared: Memory;
  readonly #global: Memory;
  /** The groups of each thread; the last one is not committed yet. */
  readonly #groups: Copy[][][];

  constructor(shared: Memory, global: Memory, threads: number) {
    this.#shared = shared;
    this.#global = global;
    this.#groups = Array.from({ length: threads }, () => [[]]);
  }

  /** Copies `size` bytes, and zeros up to 16. */
  start(thread: number, to: number, from: number, size: number): void {
    const target = this.#shared.check(to, 16);
    const source = size === 0 ? 0 : this.#global.check(from, 16);
    const bytes = new Uint8Array(16);
    bytes.set(this.#global.bytes.subarray(source, source + size));
    this.#shared.bytes.fill(0xff, target, target + 16);
    this.#groups[thread]?.at(-1)?.push({ to: target, bytes });
  }

  commit(thread: number): void {
    this.#groups[thread]?.push([]);
  }

  wait(thread: number, pending: number): void {
    const groups = this.#groups[thread] ?? [];
    while (groups.length - 1 > pending) {
      for (const { to, bytes } of groups.shift() ?? []) this.#shared.bytes.set(bytes, to);
    }
  }
}

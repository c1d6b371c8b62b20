import { KernelMachine, type Position } from './machine.ts';
import type { Memory } from './memory.ts';
import type { Instruction, Kernel } from './parse-ptx.ts';
import { compileSegments, EXIT, type Segment } from './segments.ts';

export interface Launch {
  readonly grid: Position;
  readonly threads: number;
  readonly sharedBytes: number;
  readonly parameters: Uint8Array;
}

/** Executes every block of a grid; the number of instructions that an even warp executed on average, before each of its barriers. */
export function runGrid(
  kernel: Kernel,
  { grid, threads, sharedBytes, parameters }: Launch,
  global: Memory,
): number[] {
  if (parameters.length !== kernel.parameterBytes)
    throw new Error(
      `${kernel.name} takes ${kernel.parameterBytes} bytes of parameters, not ${parameters.length}`,
    );
  const machine = new KernelMachine(kernel, threads, sharedBytes, global, parameters);
  const segments = compileSegments(kernel, machine);
  const executed: number[] = [];
  for (let z = 0; z < grid.z; z++) {
    for (let y = 0; y < grid.y; y++) {
      for (let x = 0; x < grid.x; x++) {
        machine.begin({ x, y, z });
        new Block(machine, segments, executed).run();
      }
    }
  }
  return executed.map((count) => count / (Math.ceil(threads / 64) * grid.x * grid.y * grid.z));
}

/**
 * The warps of a block run one after another from barrier to barrier, in an order that changes. The threads of even warps run side by
 * side, those that are least far first; in odd warps, each runs as far as it can before the next one starts. Threads that took
 * different ways count as apart until a barrier or `bar.warp.sync`: an instruction that a warp executes together fails before that,
 * because the ISA leaves its result undefined.
 */
class Block {
  readonly #machine: KernelMachine;
  readonly #segments: readonly Segment[];
  readonly #executed: number[];
  /** The next segment of each thread. */
  readonly #next: Int32Array;
  /** Stands for the way of each thread since it was last known to be together with the others. */
  readonly #ways: Int32Array;
  /** The threads of each warp. */
  readonly #lanes: readonly (readonly number[])[];
  #barriers = 0;

  constructor(machine: KernelMachine, segments: readonly Segment[], executed: number[]) {
    const { threads } = machine;
    this.#machine = machine;
    this.#segments = segments;
    this.#executed = executed;
    this.#next = new Int32Array(threads);
    this.#ways = new Int32Array(threads);
    this.#lanes = Array.from({ length: threads / 32 }, (_, warp) =>
      Array.from({ length: 32 }, (__, lane) => warp * 32 + lane),
    );
  }

  run(): void {
    const warps = Array.from({ length: this.#machine.threads / 32 }, (_, warp) => warp);
    for (;;) {
      warps.reverse();
      const waiting = warps.map((warp) => this.#runWarp(warp));
      if (waiting.every((waits) => !waits)) return;
      this.#barriers++;
    }
  }

  /** Runs a warp up to its next barrier; false if it has ended. */
  #runWarp(warp: number): boolean {
    for (;;) {
      const alive = this.#alive(warp);
      const [first] = alive;
      if (first === undefined) return false;
      // Threads wait at an instruction that the warp executes together.
      if (warp % 2 === 0 ? this.#runLeastFar(alive) : this.#runFirst(alive)) continue;
      const { instruction } = this.#segments[this.#at(first)] as Segment & { kind: 'together' };
      const { operation } = instruction;
      if (alive.some((lane) => this.#at(lane) !== this.#at(first)))
        throw new Error(`the lanes of a warp never meet at ${operation}`);
      if (warp % 2 === 0) this.#count(1);
      if (operation.startsWith('bar.')) for (const lane of alive) this.#ways[lane] = 0;
      else this.#execute(instruction, warp, alive);
      for (const lane of alive) this.#next[lane] = this.#at(lane) + 1;
      if (operation === 'bar.sync') return true;
    }
  }

  /** Runs the threads that are least far through their next segment; false if all wait for the others. */
  #runLeastFar(alive: readonly number[]): boolean {
    let least: number | null = null;
    for (const lane of alive) {
      const next = this.#at(lane);
      if ((least === null || next < least) && this.#segments[next]?.kind === 'alone') least = next;
    }
    if (least === null) return false;
    this.#count(this.#segments[least]?.instructions ?? 0);
    for (const lane of alive) if (this.#at(lane) === least) this.#runLane(lane);
    return true;
  }

  /** Runs one thread as far as it can; false if all wait for the others. */
  #runFirst(alive: readonly number[]): boolean {
    const lane = alive.find((each) => this.#segments[this.#at(each)]?.kind === 'alone');
    if (lane === undefined) return false;
    while (this.#segments[this.#at(lane)]?.kind === 'alone') this.#runLane(lane);
    return true;
  }

  #runLane(lane: number): void {
    const segment = this.#segments[this.#at(lane)];
    if (segment?.kind !== 'alone') throw new Error(`thread ${lane} cannot go on alone`);
    const next = segment.run(lane);
    this.#next[lane] = next;
    this.#ways[lane] = Math.imul(this.#ways[lane] as number, 31) + next + 1;
  }

  #at(lane: number): number {
    return this.#next[lane] as number;
  }

  #alive(warp: number): readonly number[] {
    const lanes = this.#lanes[warp] ?? [];
    return lanes.every((lane) => this.#next[lane] !== EXIT)
      ? lanes
      : lanes.filter((lane) => this.#next[lane] !== EXIT);
  }

  #execute(instruction: Instruction, warp: number, lanes: readonly number[]): void {
    const { operation } = instruction;
    if (lanes.length !== 32) throw new Error(`${lanes.length} of 32 lanes execute ${operation}`);
    if (lanes.some((lane) => this.#ways[lane] !== this.#ways[lanes[0] ?? 0]))
      throw new Error(`the lanes of a warp may be apart at ${operation}: __syncwarp() is missing`);
    this.#machine.together(instruction, warp);
  }

  #count(instructions: number): void {
    this.#executed[this.#barriers] = (this.#executed[this.#barriers] ?? 0) + instructions;
  }
}

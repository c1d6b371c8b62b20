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

/** Executes every block of a grid; the number of instructions that a warp executed on average, before each of its barriers. */
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
  return executed.map((count) => count / ((threads / 32) * grid.x * grid.y * grid.z));
}

/**
 * The warps of a block run one after another from barrier to barrier, in an order that changes. Of a warp, the threads that are least
 * far run first. Threads that took different ways count as apart until a barrier or `bar.warp.sync`: an instruction that a warp executes
 * together fails before that, because the ISA leaves its result undefined.
 */
class Block {
  readonly #machine: KernelMachine;
  readonly #segments: readonly Segment[];
  readonly #executed: number[];
  /** The next segment of each thread. */
  readonly #next: Int32Array;
  readonly #apart: boolean[];
  /** The threads of each warp. */
  readonly #lanes: readonly (readonly number[])[];
  #barriers = 0;

  constructor(machine: KernelMachine, segments: readonly Segment[], executed: number[]) {
    this.#machine = machine;
    this.#segments = segments;
    this.#executed = executed;
    this.#next = new Int32Array(machine.threads);
    this.#apart = Array.from({ length: machine.threads / 32 }, () => false);
    this.#lanes = this.#apart.map((_, warp) => Array.from({ length: 32 }, (__, lane) => warp * 32 + lane));
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
      if (alive.length === 0) return false;
      // Threads wait at an instruction that the warp executes together.
      const least = this.#leastFar(alive);
      if (least !== null) {
        this.#runAlone(warp, alive, least);
        continue;
      }
      const [first = 0] = alive;
      const { instruction } = this.#segments[this.#at(first)] as Segment & { kind: 'together' };
      if (alive.some((lane) => this.#at(lane) !== this.#at(first)))
        throw new Error(`the lanes of a warp never meet at ${instruction.operation}`);
      this.#count(1);
      if (instruction.operation.startsWith('bar.')) this.#apart[warp] = false;
      else this.#execute(instruction, warp, alive.length);
      for (const lane of alive) this.#next[lane] = this.#at(lane) + 1;
      if (instruction.operation === 'bar.sync') return true;
    }
  }

  /** Runs the threads that are at a segment through it. */
  #runAlone(warp: number, alive: readonly number[], number: number): void {
    const segment = this.#segments[number];
    if (segment?.kind !== 'alone') throw new Error(`there is no segment ${number}`);
    this.#count(segment.instructions);
    let next: number | null = null;
    for (const lane of alive) {
      if (this.#at(lane) !== number) continue;
      const then = segment.run(lane);
      this.#next[lane] = then;
      if (next !== null && next !== then) this.#apart[warp] = true;
      next = then;
    }
  }

  /** The earliest segment that threads run on their own; null if all wait for the others. */
  #leastFar(lanes: readonly number[]): number | null {
    let least: number | null = null;
    for (const lane of lanes) {
      const next = this.#at(lane);
      if ((least === null || next < least) && this.#segments[next]?.kind === 'alone') least = next;
    }
    return least;
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

  #execute(instruction: Instruction, warp: number, lanes: number): void {
    if (lanes !== 32) throw new Error(`${lanes} of 32 lanes execute ${instruction.operation}`);
    if (this.#apart[warp])
      throw new Error(
        `the lanes of a warp may be apart at ${instruction.operation}: __syncwarp() is missing`,
      );
    this.#machine.together(instruction, warp);
  }

  #count(instructions: number): void {
    this.#executed[this.#barriers] = (this.#executed[this.#barriers] ?? 0) + instructions;
  }
}

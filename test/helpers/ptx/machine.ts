import { Copies } from './copies.ts';
import { loadMatrices, multiplyAdd, multiplyAddGroup, storeTransposed } from './fragments.ts';
import { fromHalf, toHalf } from './halves.ts';
import type { Memory } from './memory.ts';
import { Memory as MemorySpace } from './memory.ts';
import type { Instruction, Kernel } from './parse-ptx.ts';
import { listOf } from './translate.ts';

export interface Position {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** The registers and the memory of the block that is being executed. */
export class KernelMachine {
  readonly threads: number;
  readonly global: Memory;
  readonly param: Memory;
  readonly sharedBytes: number;
  block: Position = { x: 0, y: 0, z: 0 };
  shared: Memory;
  copies: Copies;
  /** Products of each warp that were started and not waited for; the last group is not committed yet. */
  #products: (() => void)[][][] = [];
  readonly #places = new Map<string, readonly number[]>();
  readonly r: Int32Array;
  readonly f: Float32Array;
  readonly fi: Int32Array;
  readonly s: Int32Array;
  readonly p: Uint8Array;
  readonly d: BigInt64Array;
  readonly u: BigUint64Array;
  readonly toHalf = toHalf;
  readonly fromHalf = fromHalf;

  constructor(kernel: Kernel, threads: number, sharedBytes: number, global: Memory, parameters: Uint8Array) {
    const registers = (prefix: string): number => (kernel.registers.get(prefix) ?? 1) * threads;
    this.threads = threads;
    this.global = global;
    this.sharedBytes = sharedBytes;
    this.param = new MemorySpace('parameter', kernel.parameterBytes);
    this.param.bytes.set(parameters);
    this.r = new Int32Array(registers('%r'));
    this.f = new Float32Array(registers('%f'));
    this.fi = new Int32Array(this.f.buffer);
    this.s = new Int32Array(registers('%rs'));
    this.p = new Uint8Array(registers('%p'));
    this.d = new BigInt64Array(registers('%rd'));
    this.u = new BigUint64Array(this.d.buffer);
    this.shared = new MemorySpace('shared', sharedBytes);
    this.copies = new Copies(this.shared, global, threads);
  }

  /** Nothing of the block before is left, as if another block of another kernel had run meanwhile. */
  begin(block: Position): void {
    this.block = block;
    this.shared = new MemorySpace('shared', this.sharedBytes);
    this.copies = new Copies(this.shared, this.global, this.threads);
    this.#products = Array.from({ length: this.threads / 32 }, () => [[]]);
    this.r.fill(-1);
    this.fi.fill(-1);
    this.s.fill(0xffff);
    this.p.fill(1);
    this.d.fill(-1n);
  }

  /** cvt.rzi of a float: towards zero, within the type. */
  toInteger(value: number, unsigned: boolean): number {
    const [lowest, largest] = unsigned ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
    return Number.isNaN(value) ? 0 : Math.min(largest, Math.max(lowest, Math.trunc(value)));
  }

  /** Executes an instruction that a whole warp executes together. */
  together({ operation, operands }: Instruction, warp: number): void {
    const [name = '', kind = ''] = operation.split('.');
    const lane0 = warp * 32;
    const places = (operand = ''): number[] => this.#firstPlaces(operand).map((place) => place + lane0);
    const rows = (operand = ''): number[] => {
      const [, register = '', offset = '0'] = /^\[(%r\d+)(?:\+(-?\d+))?\]$/.exec(operand) ?? [];
      const [place = -1] = places(register);
      return Array.from({ length: 32 }, (_, lane) => (this.r[place + lane] as number) + Number(offset));
    };
    const registers = { integers: this.r, floats: this.f };
    if (name === 'mma') {
      const [d, a, b, c] = operands.map(places);
      multiplyAdd(registers, d ?? [], a ?? [], b ?? [], c ?? []);
    } else if (name === 'ldmatrix') {
      loadMatrices(registers, places(operands[0]), this.shared, rows(operands[1]));
    } else if (name === 'stmatrix' && operation.includes('.trans')) {
      storeTransposed(registers, places(operands[1]), this.shared, rows(operands[0]));
    } else if (name === 'wgmma') {
      this.#group(kind, operands, warp, places);
    } else {
      throw new Error(`the interpreter does not know ${operation}`);
    }
  }

  /** Where the registers of an operand begin. */
  #firstPlaces(operand: string): readonly number[] {
    let places = this.#places.get(operand);
    if (places === undefined) {
      places = listOf(operand).map((register) => Number(register.replace(/\D+/, '')) * this.threads);
      this.#places.set(operand, places);
    }
    return places;
  }

  #group(
    kind: string,
    operands: readonly string[],
    warp: number,
    places: (operand?: string) => number[],
  ): void {
    const groups = this.#products[warp] ?? [];
    if (kind === 'commit_group') groups.push([]);
    if (kind === 'wait_group') {
      // A product is made when it is waited for, as late as the instruction allows.
      while (groups.length - 1 > Number(operands[0])) for (const product of groups.shift() ?? []) product();
    }
    if (kind !== 'mma_async') return;
    if (operands.slice(3).join() !== '1,1,1,0,0')
      throw new Error('only d += a * b of K-major operands is interpreted');
    const [a, b] = operands.slice(1, 3).map((operand) => {
      const [place = -1] = places(operand);
      const descriptors = this.u.slice(place, place + 32);
      if (new Set(descriptors).size !== 1) throw new Error('the descriptors of a warp differ');
      return descriptors[0] as bigint;
    });
    const sums = places(operands[0]);
    groups
      .at(-1)
      ?.push(() =>
        multiplyAddGroup(
          { integers: this.r, floats: this.f },
          sums,
          warp,
          this.shared,
          a as bigint,
          b as bigint,
        ),
      );
  }
}

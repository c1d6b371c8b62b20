import { fromHalf, HALVES } from './halves.ts';
import type { Memory } from './memory.ts';

/**
 * Which elements of a matrix the registers of a lane hold, by the section "Matrix Fragments" of each instruction in the PTX ISA: groups of
 * four lanes share a row, and a register of 32 bits holds two neighbouring halves.
 */
export interface Registers {
  /** The registers %r, or the bits of %f. */
  readonly integers: Int32Array;
  readonly floats: Float32Array;
}

const LANES = 32;
const groupOf = (lane: number): number => lane >> 2;
const inGroup = (lane: number): number => lane & 3;
const at = (values: Int32Array | Float32Array, index: number): number => values[index] as number;
const low = (pair: number): number => HALVES[pair & 0xffff] as number;
const high = (pair: number): number => HALVES[pair >>> 16] as number;

/** mma.m16n8k8 and mma.m16n8k16: d = a * b + c. The arguments are the places of each operand's registers of lane 0. */
export function multiplyAdd(
  { integers, floats }: Registers,
  d: readonly number[],
  a: readonly number[],
  b: readonly number[],
  c: readonly number[],
): void {
  const terms = a.length * 4;
  const left = new Float64Array(16 * terms);
  const right = new Float64Array(8 * terms);
  for (let lane = 0; lane < LANES; lane++) {
    const [row, column] = [groupOf(lane), inGroup(lane) * 2];
    a.forEach((register, i) => {
      const pair = at(integers, register + lane);
      const place = (row + (i % 2) * 8) * terms + column + (i >> 1) * 8;
      left[place] = low(pair);
      left[place + 1] = high(pair);
    });
    b.forEach((register, i) => {
      const pair = at(integers, register + lane);
      const place = row * terms + column + i * 8;
      right[place] = low(pair);
      right[place + 1] = high(pair);
    });
  }
  for (let lane = 0; lane < LANES; lane++) {
    for (let i = 0; i < 4; i++) {
      const row = (groupOf(lane) + (i >> 1) * 8) * terms;
      const column = (inGroup(lane) * 2 + (i & 1)) * terms;
      let sum = at(floats, (c[i] ?? 0) + lane);
      for (let k = 0; k < terms; k++) sum += (left[row + k] as number) * (right[column + k] as number);
      floats[(d[i] ?? 0) + lane] = sum;
    }
  }
}

/** ldmatrix.m8n8.x4: lane i gives the address of row i % 8 of matrix i / 8. */
export function loadMatrices(
  { integers }: Registers,
  to: readonly number[],
  shared: Memory,
  rows: readonly number[],
): void {
  to.forEach((register, matrix) => {
    for (let lane = 0; lane < LANES; lane++) {
      const row = shared.check(rows[matrix * 8 + groupOf(lane)] ?? -1, 16);
      integers[register + lane] = shared.read_u32(row + inGroup(lane) * 4);
    }
  });
}

/** stmatrix.m8n8.x4, .trans: the halves of a lane lie in one column, at the addresses of two rows. */
export function storeTransposed(
  { integers }: Registers,
  from: readonly number[],
  shared: Memory,
  rows: readonly number[],
): void {
  from.forEach((register, matrix) => {
    for (let lane = 0; lane < LANES; lane++) {
      const pair = at(integers, register + lane);
      for (let i = 0; i < 2; i++) {
        const row = shared.check(rows[matrix * 8 + inGroup(lane) * 2 + i] ?? -1, 16);
        shared.write_u16(row + groupOf(lane) * 2, (pair >>> (16 * i)) & 0xffff);
      }
    }
  });
}

/**
 * Rows of 16 terms of a wgmma operand that is K-major and not swizzled: core matrices of 8 rows of 16 bytes ("Matrix descriptor":
 * bits 0-13 start, 16-29 bytes between the core matrices of a row, 32-45 between groups of 8 rows; all in units of 16 bytes).
 */
function operandRows(shared: Memory, descriptor: bigint, first: number, count: number): Float64Array {
  const field = (shift: bigint): number => Number((descriptor >> shift) & 0x3fffn) * 16;
  if (descriptor >> 46n !== 0n) throw new Error('only descriptors without swizzling are interpreted');
  const [start, betweenTerms, betweenRows] = [field(0n), field(16n), field(32n)];
  const values = new Float64Array(count * 16);
  for (let i = 0; i < count; i++) {
    const row = first + i;
    for (let k = 0; k < 16; k++) {
      const address =
        start + (row >> 3) * betweenRows + (row & 7) * 16 + (k >> 3) * betweenTerms + (k & 7) * 2;
      values[i * 16 + k] = fromHalf(shared.halves[shared.check(address, 2) >> 1] as number);
    }
  }
  return values;
}

/** wgmma.m64n256k16: d += a * b for the 16 rows of one warp of a warpgroup. */
export function multiplyAddGroup(
  { floats }: Registers,
  d: readonly number[],
  warp: number,
  shared: Memory,
  a: bigint,
  b: bigint,
): void {
  const left = operandRows(shared, a, (warp & 3) * 16, 16);
  const right = operandRows(shared, b, 0, 256);
  for (let lane = 0; lane < LANES; lane++) {
    d.forEach((register, i) => {
      const row = (groupOf(lane) + ((i >> 1) & 1) * 8) * 16;
      const column = ((i >> 2) * 8 + inGroup(lane) * 2 + (i & 1)) * 16;
      let sum = at(floats, register + lane);
      for (let k = 0; k < 16; k++) sum += (left[row + k] as number) * (right[column + k] as number);
      floats[register + lane] = sum;
    });
  }
}

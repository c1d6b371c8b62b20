import type { DeviceData, Image, Struct } from './device-data.ts';
import type { Memory } from './memory.ts';
import { parseKernel } from './parse-ptx.ts';
import { runGrid } from './run-grid.ts';

/** Executes a kernel whose threads each do one piece of work; the memory after it. */
export function runPieces(
  ptx: string,
  name: string,
  [pieces, threads]: readonly [number, number],
  parameters: Struct,
  data: DeviceData,
): Memory {
  const memory = data.memory();
  const grid = { x: Math.ceil(pieces / threads), y: 1, z: 1 };
  runGrid(parseKernel(ptx, name), { grid, threads, sharedBytes: 0, parameters: parameters.bytes }, memory);
  return memory;
}

/** Pieces of eight channels. */
export function piecesOf({ height, width, channels }: Image): number {
  return height * width * Math.ceil(channels / 8);
}

/**
 * The largest error of an image that a kernel made, relative to the larger of 1 and the true value; Infinity if the kernel wrote
 * between the pixels' channels as well.
 */
export function errorOf(
  y: Image,
  memory: Memory,
  wanted: (row: number, column: number, channel: number) => number,
): number {
  const { halves, others } = y.read(memory);
  let error = others ? Infinity : 0;
  for (let i = 0; i < y.height * y.width * y.channels; i++) {
    const channel = i % y.channels;
    const pixel = (i - channel) / y.channels;
    const [row, column] = [Math.floor(pixel / y.width), pixel % y.width];
    const value = wanted(row, column, channel);
    const difference = Math.abs(y.at(row, column, channel, halves) - value) / Math.max(1, Math.abs(value));
    error = Math.max(error, Number.isNaN(difference) ? Infinity : difference);
  }
  return error;
}

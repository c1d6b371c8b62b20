import type { ModelOutput } from '../../../../inference/engine.ts';
import type { Face } from '../face.ts';
import type { Size } from '../input-shape.ts';
import type { InputRange } from '../image-input.ts';

/** What the numbers of one kind of face detector mean. */
export interface DetectorLayout {
  readonly name: string;
  readonly range: InputRange;
  /** Longer edge of the input where the model takes any size; a multiple of `stride`. */
  readonly edge: number;
  /** Edges of an input are multiples of it. */
  readonly stride: number;
  /** Whether outputs for an input of that size can be those of this layout. */
  fits(outputs: readonly ModelOutput[], input: Size): boolean;
  /** The faces from a score on, in pixels of the input, before overlaps are suppressed. */
  decode(outputs: readonly ModelOutput[], input: Size, leastScore: number): Face[];
}

/** The outputs with so many rows and columns, whatever stands before these two in their shapes. */
export function tables(
  outputs: readonly ModelOutput[],
  rows: number,
  columns: number,
): readonly ModelOutput[] {
  return outputs.filter(
    ({ shape }) =>
      shape.at(-1) === columns && shape.slice(0, -1).reduce((product, edge) => product * edge, 1) === rows,
  );
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

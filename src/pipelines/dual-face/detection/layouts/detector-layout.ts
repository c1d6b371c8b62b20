import type { ModelOutput } from '../../../../inference/engine.ts';
import type { Face } from '../face.ts';
import type { Size } from '../input-shape.ts';
import type { InputRange } from '../image-input.ts';

/** The output format of one kind of face detector. */
export interface DetectorLayout {
  readonly name: string;
  readonly range: InputRange;
  /** Longer edge of the input if the model accepts any size; a multiple of `stride`. */
  readonly edge: number;
  /** The edges of an input are multiples of this. */
  readonly stride: number;
  /** Whether the outputs for an input of that size can have this layout. */
  fits(outputs: readonly ModelOutput[], input: Size): boolean;
  /** The faces with at least `minScore`, in pixels of the input, before overlaps are suppressed. */
  decode(outputs: readonly ModelOutput[], input: Size, minScore: number): Face[];
}

/** The outputs with this many rows and columns; rows may be split over several leading dimensions. */
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

import { ModelError } from '../../domain/errors.ts';

/** The supported operators by their numbers in TensorFlow Lite's schema (BuiltinOperator). */
export const TFLITE_OPERATORS: ReadonlyMap<number, string> = new Map([
  [0, 'ADD'],
  [3, 'CONV_2D'],
  [4, 'DEPTHWISE_CONV_2D'],
  [6, 'DEQUANTIZE'],
  [17, 'MAX_POOL_2D'],
  [19, 'RELU'],
  [22, 'RESHAPE'],
  [23, 'RESIZE_BILINEAR'],
  [34, 'PAD'],
]);

export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** 0 float32, 1 float16, 2 int32. */
  readonly type: number;
  /** Values in little-endian order; empty if the tensor is computed. */
  readonly data: Uint8Array;
}

export interface TfliteOperator {
  readonly type: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: FlatTable | null;
}

export interface TfliteModel {
  readonly tensors: readonly TfliteTensor[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly TfliteOperator[];
}

/** A table of a FlatBuffers file: fields by number, with a default for absent ones. */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
  }

  byte(field: number, absent = 0): number {
    const at = this.#offsetOf(field);
    return at === 0 ? absent : this.#view.getInt8(at);
  }

  int(field: number, absent = 0): number {
    const at = this.#offsetOf(field);
    return at === 0 ? absent : this.#view.getInt32(at, true);
  }

  table(field: number): FlatTable | null {
    const at = this.#offsetOf(field);
    return at === 0 ? null : new FlatTable(this.#view, at + this.#view.getUint32(at, true));
  }

  tables(field: number): FlatTable[] {
    const { start, length } = this.#vector(field);
    return Array.from({ length }, (_, i) => {
      const at = start + 4 * i;
      return new FlatTable(this.#view, at + this.#view.getUint32(at, true));
    });
  }

  ints(field: number): number[] {
    const { start, length } = this.#vector(field);
    return Array.from({ length }, (_, i) => this.#view.getInt32(start + 4 * i, true));
  }

  bytes(field: number): Uint8Array {
    const { start, length } = this.#vector(field);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length);
  }

  /** Offset of a field; 0 if it is absent. */
  #offsetOf(field: number): number {
    const table = this.#at - this.#view.getInt32(this.#at, true);
    const slot = 4 + 2 * field;
    const offset = slot < this.#view.getUint16(table, true) ? this.#view.getUint16(table + slot, true) : 0;
    return offset === 0 ? 0 : this.#at + offset;
  }

  #vector(field: number): { start: number; length: number } {
    const at = this.#offsetOf(field);
    if (at === 0) return { start: 0, length: 0 };
    const start = at + this.#view.getUint32(at, true);
    return { start: start + 4, length: this.#view.getUint32(start, true) };
  }
}

/** Decodes the only graph of a TensorFlow Lite file; `what` names it in errors. @throws ModelError MODEL_UNREADABLE, MODEL_UNSUITABLE */
export function decodeTflite(file: Uint8Array, what: string): TfliteModel {
  if (Buffer.from(file.subarray(4, 8)).toString('latin1') !== 'TFL3')
    throw new ModelError('MODEL_UNREADABLE', `${what} is not a TensorFlow Lite file.`);
  try {
    return readModel(new DataView(file.buffer, file.byteOffset, file.byteLength), what);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ModelError('MODEL_UNREADABLE', `${what} is truncated or damaged.`, { cause });
  }
}

function readModel(view: DataView, what: string): TfliteModel {
  const model = new FlatTable(view, view.getUint32(0, true));
  const codes = model.tables(1).map((code) => Math.max(code.byte(0), code.int(3)));
  const buffers = model.tables(4);
  const [graph, another] = model.tables(2);
  if (graph === undefined || another !== undefined)
    throw new ModelError('MODEL_UNSUITABLE', `${what} does not contain exactly one graph.`);
  return {
    tensors: graph.tables(0).map((tensor) => ({
      name: Buffer.from(tensor.bytes(3)).toString('utf8'),
      shape: tensor.ints(0),
      type: tensor.byte(1),
      data: buffers[tensor.int(2)]?.bytes(0) ?? new Uint8Array(0),
    })),
    inputs: graph.ints(1),
    outputs: graph.ints(2),
    operators: graph.tables(3).map((operator) => {
      const code = codes[operator.int(0)] ?? -1;
      const type = TFLITE_OPERATORS.get(code);
      if (type === undefined)
        throw new ModelError('MODEL_UNSUITABLE', `${what} has an unknown operator (code ${code}).`);
      return { type, inputs: operator.ints(1), outputs: operator.ints(2), options: operator.table(4) };
    }),
  };
}

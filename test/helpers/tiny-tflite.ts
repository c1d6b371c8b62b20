/** A FlatBuffers table: its fields by number, null for absent ones. */
export type Table = readonly (Field | null)[];
export type Field =
  | { readonly byte: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly bytes: Uint8Array }
  | { readonly table: Table }
  | { readonly tables: readonly Table[] };

export interface TinyTensor {
  readonly shape: readonly number[];
  /** Little-endian numbers; absent for a computed tensor. */
  readonly data?: Float32Array | Uint16Array | Int32Array;
}

export interface TinyOperator {
  /** Value of BuiltinOperator. */
  readonly code: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: Table;
}

/** A TensorFlow Lite file with one graph (schema.fbs, version 3). */
export function tinyTflite(
  tensors: readonly TinyTensor[],
  operators: readonly TinyOperator[],
  inputs: readonly number[],
  outputs: readonly number[],
): Uint8Array {
  const codes = operators.map(({ code }): Table => [{ byte: code }, null, null, { int: code }]);
  const tensorTables = tensors.map(({ shape, data }, i): Table => {
    const type = data instanceof Uint16Array ? 1 : data instanceof Int32Array ? 2 : 0;
    // Buffer 0 is empty, for tensors without data.
    const buffer = data === undefined ? 0 : i + 1;
    return [{ ints: shape }, { byte: type }, { int: buffer }, { bytes: Buffer.from(`tensor ${i}`) }];
  });
  const buffers = [undefined, ...tensors.map(({ data }) => data)].map((data): Table => {
    if (data === undefined) return [];
    return [{ bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }];
  });
  const operatorTables = operators.map(({ inputs: from, outputs: to, options }, i): Table => [
    { int: i },
    { ints: from },
    { ints: to },
    null,
    options === undefined ? null : { table: options },
  ]);
  const graph: Table = [
    { tables: tensorTables },
    { ints: inputs },
    { ints: outputs },
    { tables: operatorTables },
  ];
  const model: Table = [
    { int: 3 },
    { tables: codes },
    { tables: [graph] },
    { bytes: Buffer.from('tiny') },
    { tables: buffers },
  ];
  return writeRoot(model);
}

/** Writes each referenced object after the reference, because FlatBuffers offsets are unsigned. */
function writeRoot(root: Table): Uint8Array {
  const bytes: number[] = [0, 0, 0, 0, ...Buffer.from('TFL3')];
  const int = (value: number): number => {
    bytes.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255);
    return bytes.length - 4;
  };
  const align = () => {
    while (bytes.length % 4 !== 0) bytes.push(0);
  };
  const point = (place: number, to: number) => {
    const offset = to - place;
    for (let i = 0; i < 4; i++) bytes[place + i] = (offset >> (8 * i)) & 255;
  };
  const writeVector = (field: Field): number => {
    align();
    if ('ints' in field) {
      const start = int(field.ints.length);
      field.ints.forEach(int);
      return start;
    }
    if ('bytes' in field) {
      const start = int(field.bytes.length);
      for (const byte of field.bytes) bytes.push(byte);
      return start;
    }
    if (!('tables' in field)) throw new TypeError('A scalar cannot be written as a vector.');
    const start = int(field.tables.length);
    const places = field.tables.map(() => int(0));
    for (const [i, table] of field.tables.entries()) point(places[i] ?? 0, writeTable(table));
    return start;
  };
  const writeTable = (fields: Table): number => {
    align();
    const vtable = bytes.length;
    const offsets = fields.map((field, i) => (field === null ? 0 : 4 + 4 * i));
    for (const half of [4 + 2 * fields.length, 4 + 4 * fields.length, ...offsets])
      bytes.push(half & 255, half >> 8);
    align();
    const start = bytes.length;
    int(start - vtable);
    const places = fields.map((field) =>
      int(field === null ? 0 : 'byte' in field ? field.byte : 'int' in field ? field.int : 0),
    );
    for (const [i, field] of fields.entries()) {
      if (field === null || 'byte' in field || 'int' in field) continue;
      point(places[i] ?? 0, 'table' in field ? writeTable(field.table) : writeVector(field));
    }
    return start;
  };
  point(0, writeTable(root));
  return Uint8Array.from(bytes);
}

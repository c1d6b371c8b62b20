import protobuf from 'protobufjs';
import { ModelError } from '../../domain/errors.ts';

/**
 * The messages of an ONNX file that Framekiln reads or writes, with the field numbers of onnx.proto (IR versions 3 to
 * 13). Other messages are declared as bytes, which have the same wire format, so that nothing is lost when a file is
 * decoded and encoded again.
 */
const SCHEMA = `
syntax = "proto2";
message ModelProto {
  optional int64 ir_version = 1;
  optional string producer_name = 2;
  optional string producer_version = 3;
  optional string domain = 4;
  optional int64 model_version = 5;
  optional string doc_string = 6;
  optional GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
  repeated bytes metadata_props = 14;
  repeated bytes training_info = 20;
  repeated FunctionProto functions = 25;
  repeated bytes configuration = 26;
}
message OperatorSetIdProto {
  optional string domain = 1;
  optional int64 version = 2;
}
message FunctionProto {
  optional string name = 1;
  repeated string input = 4;
  repeated string output = 5;
  repeated string attribute = 6;
  repeated NodeProto node = 7;
  optional string doc_string = 8;
  repeated OperatorSetIdProto opset_import = 9;
  optional string domain = 10;
  repeated AttributeProto attribute_proto = 11;
  repeated ValueInfoProto value_info = 12;
  optional string overload = 13;
  repeated bytes metadata_props = 14;
}
message GraphProto {
  repeated NodeProto node = 1;
  optional string name = 2;
  repeated TensorProto initializer = 5;
  optional string doc_string = 10;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
  repeated ValueInfoProto value_info = 13;
  repeated bytes quantization_annotation = 14;
  repeated SparseTensorProto sparse_initializer = 15;
  repeated bytes metadata_props = 16;
}
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  optional string name = 3;
  optional string op_type = 4;
  repeated AttributeProto attribute = 5;
  optional string doc_string = 6;
  optional string domain = 7;
  optional string overload = 8;
  repeated bytes metadata_props = 9;
  repeated bytes device_configurations = 10;
}
message AttributeProto {
  optional string name = 1;
  optional float f = 2;
  optional int64 i = 3;
  optional bytes s = 4;
  optional TensorProto t = 5;
  optional GraphProto g = 6;
  repeated float floats = 7;
  repeated int64 ints = 8;
  repeated bytes strings = 9;
  repeated TensorProto tensors = 10;
  repeated GraphProto graphs = 11;
  optional string doc_string = 13;
  optional bytes tp = 14;
  repeated bytes type_protos = 15;
  optional int32 type = 20;
  optional string ref_attr_name = 21;
  optional SparseTensorProto sparse_tensor = 22;
  repeated SparseTensorProto sparse_tensors = 23;
}
message TensorProto {
  repeated int64 dims = 1;
  optional int32 data_type = 2;
  optional bytes segment = 3;
  repeated float float_data = 4 [packed = true];
  repeated int32 int32_data = 5 [packed = true];
  repeated bytes string_data = 6;
  repeated int64 int64_data = 7 [packed = true];
  optional string name = 8;
  optional bytes raw_data = 9;
  repeated double double_data = 10 [packed = true];
  repeated uint64 uint64_data = 11 [packed = true];
  optional string doc_string = 12;
  repeated bytes external_data = 13;
  optional int32 data_location = 14;
  repeated bytes metadata_props = 16;
}
message SparseTensorProto {
  optional TensorProto values = 1;
  optional TensorProto indices = 2;
  repeated int64 dims = 3;
}
message ValueInfoProto {
  optional string name = 1;
  optional TypeProto type = 2;
  optional string doc_string = 3;
  repeated bytes metadata_props = 4;
}
message TypeProto {
  optional Tensor tensor_type = 1;
  optional bytes sequence_type = 4;
  optional bytes map_type = 5;
  optional string denotation = 6;
  optional bytes sparse_tensor_type = 8;
  optional bytes optional_type = 9;
  message Tensor {
    optional int32 elem_type = 1;
    optional TensorShapeProto shape = 2;
  }
}
message TensorShapeProto {
  repeated Dimension dim = 1;
  message Dimension {
    optional int64 dim_value = 1;
    optional string dim_param = 2;
    optional string denotation = 3;
  }
}
`;

const MODEL_PROTO = protobuf.parse(SCHEMA).root.lookupType('ModelProto');

/** TensorProto.DataType.FLOAT */
export const FLOAT32 = 1;
/** TensorProto.DataType.FLOAT16 */
export const FLOAT16 = 10;
const INT64 = 7;
/** Names of TensorProto.DataType by number. */
const TYPE_NAMES =
  'undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64 complex128 bfloat16'.split(
    ' ',
  );
/** Name of a TensorProto.DataType. */
export function typeName(dataType: number): string {
  return TYPE_NAMES[dataType] ?? `type ${dataType}`;
}

/** AttributeProto.AttributeType */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;

export interface OnnxTensor {
  readonly name?: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Values in little-endian order; empty or absent if one of the typed lists below has them. */
  readonly rawData?: Uint8Array;
  readonly floatData?: readonly number[];
  readonly int64Data?: readonly (number | { toNumber(): number })[];
  readonly externalData?: readonly Uint8Array[];
  /** 1: the values are in another file. */
  readonly dataLocation?: number;
}

export interface OnnxAttribute {
  readonly name: string;
  readonly type?: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: OnnxTensor;
  readonly ints?: readonly number[];
}

export interface OnnxNode {
  readonly name?: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute?: readonly OnnxAttribute[];
}

export interface OnnxDimension {
  readonly dimValue?: number;
  readonly dimParam?: string;
}

export interface OnnxValueInfo {
  readonly name: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType?: number;
      readonly shape?: { readonly dim?: readonly OnnxDimension[] };
    };
  };
}

export interface OnnxGraph {
  readonly name?: string;
  readonly node: readonly OnnxNode[];
  readonly initializer: readonly OnnxTensor[];
  readonly input: readonly OnnxValueInfo[];
  readonly output: readonly OnnxValueInfo[];
  readonly valueInfo?: readonly OnnxValueInfo[];
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName?: string;
  readonly opsetImport: readonly { readonly domain?: string; readonly version: number }[];
  readonly graph: OnnxGraph;
}

/**
 * Decodes an ONNX file; `what` names the file in errors. Fields that OnnxModel does not declare are kept, and
 * `encodeModel` writes them again.
 *
 * @throws ModelError MODEL_UNREADABLE
 */
export function decodeModel(bytes: Uint8Array, what: string): OnnxModel {
  let model: Partial<OnnxModel>;
  try {
    model = MODEL_PROTO.toObject(MODEL_PROTO.decode(bytes), { longs: Number, arrays: true });
  } catch (cause) {
    throw new ModelError('MODEL_UNREADABLE', `${what} is not a valid ONNX file: it cannot be decoded.`, {
      cause,
    });
  }
  if (model.graph === undefined || model.graph.node.length === 0) {
    throw new ModelError('MODEL_UNREADABLE', `${what} is not a valid ONNX file: it contains no operators.`);
  }
  return model as OnnxModel;
}

/** Encodes an ONNX file. Equal models give equal bytes. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return MODEL_PROTO.encode(MODEL_PROTO.fromObject(model)).finish();
}

/**
 * Copies the values of a float32 tensor.
 *
 * @throws ModelError MODEL_UNSUITABLE if it has another type, MODEL_UNREADABLE if it is damaged
 */
export function tensorFloats(tensor: OnnxTensor): Float32Array {
  if (tensor.dataType !== FLOAT32) {
    const found = `contains ${typeName(tensor.dataType)} values instead of float32`;
    throw new ModelError('MODEL_UNSUITABLE', `The tensor ${tensor.name ?? '(unnamed)'} ${found}.`);
  }
  const { rawData } = tensor;
  if (rawData === undefined || rawData.length === 0) return Float32Array.from(tensor.floatData ?? []);
  if (rawData.length % 4 !== 0) {
    throw new ModelError('MODEL_UNREADABLE', `The tensor ${tensor.name ?? '(unnamed)'} is truncated.`);
  }
  // Not slice(): rawData is a Buffer, whose slice shares memory that may not be aligned to 4 bytes.
  return new Float32Array(Uint8Array.from(rawData).buffer);
}

/** A float32 tensor of the given shape. */
export function floatTensor(name: string, dims: readonly number[], values: Float32Array): OnnxTensor {
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims, dataType: FLOAT32, rawData };
}

/** A list of 64-bit integers. */
export function integerTensor(name: string, values: readonly number[]): OnnxTensor {
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { name, dims: [values.length], dataType: INT64, rawData };
}

import { faceApiToOnnx } from './face-api-to-onnx.ts';
import { ncnnToOnnx } from './ncnn-to-onnx.ts';
import type { ModelFormat } from './manifest.ts';
import { tfliteToOnnx } from './tflite-to-onnx.ts';

const EMPTY = new Uint8Array(0);

const CONVERTERS: Readonly<Record<ModelFormat, (files: readonly Uint8Array[], name: string) => Uint8Array>> =
  {
    ncnn: ([param = EMPTY, bin = EMPTY], name) => ncnnToOnnx(textOf(param), bin, name),
    'face-api': ([manifest = EMPTY, bin = EMPTY], name) => faceApiToOnnx(textOf(manifest), bin, name),
    tflite: ([file = EMPTY], name) => tfliteToOnnx(file, name),
    onnx: ([file = EMPTY]) => file,
  };

/**
 * Converts a model that is published in another format to ONNX. The order of `files` is that of the manifest.
 *
 * @throws ModelError MODEL_UNREADABLE, MODEL_UNSUITABLE
 */
export function convertModel(format: ModelFormat, files: readonly Uint8Array[], name: string): Uint8Array {
  return CONVERTERS[format](files, name);
}

function textOf(file: Uint8Array): string {
  return Buffer.from(file).toString('utf8');
}

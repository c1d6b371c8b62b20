import { faceApiToOnnx } from './face-api-to-onnx.ts';
import { ncnnToOnnx } from './ncnn-to-onnx.ts';
import type { ModelFrame } from './model-frame.ts';
import type { ModelEntry, ModelFormat } from './manifest.ts';
import { tfliteToOnnx } from './tflite-to-onnx.ts';

const EMPTY = new Uint8Array(0);

type Converter = (files: readonly Uint8Array[], entry: ModelEntry) => Uint8Array;

const CONVERTERS: Readonly<Record<ModelFormat, Converter>> = {
  ncnn: ([param = EMPTY, bin = EMPTY], entry) => ncnnToOnnx(textOf(param), bin, entry.name, frameOf(entry)),
  'face-api': ([manifest = EMPTY, bin = EMPTY], { name }) => faceApiToOnnx(textOf(manifest), bin, name),
  tflite: ([file = EMPTY], { name }) => tfliteToOnnx(file, name),
  onnx: ([file = EMPTY]) => file,
};

/**
 * Converts a model that is published in another format to ONNX. The order of `files` is that of the manifest.
 *
 * @throws ModelError MODEL_UNREADABLE, MODEL_UNSUITABLE
 */
export function convertModel(entry: ModelEntry, files: readonly Uint8Array[]): Uint8Array {
  return CONVERTERS[entry.format](files, entry);
}

function frameOf(entry: ModelEntry): ModelFrame | null {
  if (entry.purpose !== 'upscale' || entry.frame === undefined) return null;
  return { scale: entry.scale, ...entry.frame };
}

function textOf(file: Uint8Array): string {
  return Buffer.from(file).toString('utf8');
}

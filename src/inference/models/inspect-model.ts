import { counted } from '../../lib/counted.ts';
import { ModelError } from '../../domain/errors.ts';
import { FLOAT32 } from './onnx-model.ts';
import type { OnnxModel, OnnxValueInfo } from './onnx-model.ts';

/**
 * Checks that a model is suitable for upscaling: its only input is a float32 image `[N, 3, H, W]` of any height and width,
 * it has one output, and the file contains all weights. `what` names the model in errors.
 *
 * @throws ModelError MODEL_UNSUITABLE
 */
export function validateImageModel(model: OnnxModel, what: string): void {
  validateSelfContained(model, what);
  const constants = new Set(model.graph.initializer.map((tensor) => tensor.name));
  const [input, ...moreInputs] = model.graph.input.filter((value) => !constants.has(value.name));
  if (input === undefined || moreInputs.length > 0) throw unsuitable(what, 'does not have exactly one input');
  if (model.graph.output.length !== 1) throw unsuitable(what, 'does not have exactly one output');
  const reason = whyNotImage(input);
  if (reason !== null) throw unsuitable(what, reason);
}

/**
 * Checks that the file contains all weights. A model with external data could make the engine read any file; promise 34
 * in docs/promises.md rules that out.
 *
 * @throws ModelError MODEL_UNSUITABLE
 */
export function validateSelfContained(model: OnnxModel, what: string): void {
  if (hasExternalData(model)) throw unsuitable(what, 'stores weights in other files, which is not allowed');
}

function whyNotImage(input: OnnxValueInfo): string | null {
  const tensor = input.type?.tensorType;
  const dims = tensor?.shape?.dim ?? [];
  if (tensor?.elemType !== FLOAT32) return 'does not accept float32 values';
  if (dims.length !== 4) return `expects ${counted(dims.length, 'dimension')} instead of [N, 3, H, W]`;
  const [batch, channels, height, width] = dims.map((dim) => dim.dimValue ?? 0);
  if (channels !== 3 && channels !== 0) return `expects ${counted(channels ?? 0, 'channel')} instead of 3`;
  if (batch !== 1 && batch !== 0) return `accepts only batches of ${batch ?? 0} images`;
  if (height !== 0 && width !== 0) return `accepts only images of ${width ?? 0}x${height ?? 0}`;
  if (height !== 0) return `accepts only images of height ${height ?? 0}`;
  if (width !== 0) return `accepts only images of width ${width ?? 0}`;
  return null;
}

/** Whether any tensor, including those of sub-graphs and functions, is stored outside the file. */
function hasExternalData(part: unknown): boolean {
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return false;
  if ('dataLocation' in part && part.dataLocation === 1) return true;
  if ('externalData' in part && Array.isArray(part.externalData) && part.externalData.length > 0) return true;
  return Object.values(part).some(hasExternalData);
}

function unsuitable(what: string, reason: string): ModelError {
  return new ModelError('MODEL_UNSUITABLE', `${what} cannot be used: it ${reason}.`);
}

import { counted } from '../../lib/counted.ts';
import { ModelError } from '../../domain/errors.ts';
import { FLOAT16, FLOAT32, typeName } from './onnx-model.ts';
import type { OnnxModel, OnnxValueInfo } from './onnx-model.ts';

/**
 * Checks that a model is suitable for upscaling: its only input is an image `[N, 3, H, W]` or `[N, 1, H, W]` of float32 or
 * float16 numbers, it has one output, and the file contains all weights. `what` names the model in errors.
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
  const type = tensor?.elemType ?? 0;
  if (type !== FLOAT32 && type !== FLOAT16)
    return `expects ${typeName(type)} values; export it for float32 or float16 values from 0 to 1`;
  if (dims.length !== 4) return `expects ${counted(dims.length, 'dimension')} instead of [N, 3, H, W]`;
  const [batch, channels = 0, height, width] = dims.map((dim) => dim.dimValue ?? 0);
  if (width === 3 && channels !== 3)
    return 'expects images of the layout [N, H, W, 3]; export it for [N, 3, H, W]';
  if (![0, 1, 3].includes(channels)) return `expects ${counted(channels, 'channel')} instead of 3 or 1`;
  if (batch !== 1 && batch !== 0) return `accepts only batches of ${batch ?? 0} images`;
  if ((height === 0) !== (width === 0))
    return `has a fixed ${height === 0 ? 'width' : 'height'} only; export it with both dynamic, or both fixed`;
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

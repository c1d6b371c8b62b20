import { ModelError } from '../../domain/errors.ts';
import { counted } from '../../lib/counted.ts';
import { FLOAT32 } from './onnx-model.ts';
import type { OnnxModel, OnnxValueInfo } from './onnx-model.ts';

/**
 * Sees to it that a model is one that Framekiln can use and may load: one float32 image `[N, 3, H, W]` of any
 * height and width in, one output, and every weight inside the file. `what` names it in errors.
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
 * Sees to it that every weight is inside the file (R34: a model with external data could make the engine read any file).
 *
 * @throws ModelError MODEL_UNSUITABLE
 */
export function validateSelfContained(model: OnnxModel, what: string): void {
  if (hasExternalData(model))
    throw unsuitable(what, 'stores weights in external files, which is not allowed');
}

function whyNotImage(input: OnnxValueInfo): string | null {
  const tensor = input.type?.tensorType;
  const dims = tensor?.shape?.dim ?? [];
  if (tensor?.elemType !== FLOAT32) return 'does not accept float32';
  if (dims.length !== 4)
    return `has an input of ${counted(dims.length, 'dimension')} instead of [N, 3, H, W]`;
  const [batch, channels, height, width] = dims.map((dim) => dim.dimValue ?? 0);
  if (channels !== 3 && channels !== 0) return `expects ${counted(channels ?? 0, 'channel')} instead of 3`;
  if (batch !== 1 && batch !== 0) return `has a fixed batch size of ${batch ?? 0}`;
  if (height !== 0 || width !== 0) return `accepts only ${width ?? 0}x${height ?? 0} images`;
  return null;
}

/** Whether any tensor, in sub-graphs and functions too, lives outside the file. */
function hasExternalData(part: unknown): boolean {
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return false;
  if ('dataLocation' in part && part.dataLocation === 1) return true;
  if ('externalData' in part && Array.isArray(part.externalData) && part.externalData.length > 0) return true;
  return Object.values(part).some(hasExternalData);
}

function unsuitable(what: string, reason: string): ModelError {
  return new ModelError('MODEL_UNSUITABLE', `${what} cannot be used: it ${reason}.`);
}

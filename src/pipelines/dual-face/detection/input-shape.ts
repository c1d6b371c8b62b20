import { ModelError } from '../../../domain/errors.ts';
import { validateSelfContained } from '../../../inference/models/inspect-model.ts';
import type { OnnxModel } from '../../../inference/models/onnx-model.ts';
import { counted } from '../../../lib/counted.ts';

/** Edges of a model's input in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A multiple of the coarsest stride of all known detectors. */
const TRIAL_SIZE: Size = { width: 320, height: 320 };

/**
 * Input sizes of a model with one image as input: `fixed` is the only size, or null if any size is accepted; `trial` is
 * the size to test it with.
 *
 * @throws ModelError MODEL_UNSUITABLE
 */
export function inputShape(model: OnnxModel, what: string): { fixed: Size | null; trial: Size } {
  validateSelfContained(model, what);
  const constants = new Set(model.graph.initializer.map(({ name }) => name));
  const [input, another] = model.graph.input.filter(({ name }) => !constants.has(name));
  const dims = input?.type?.tensorType?.shape?.dim ?? [];
  if (input === undefined || another !== undefined || dims.length !== 4)
    throw unsuitable(what, 'does not have exactly one input of shape [1, 3, height, width]');
  const [, channels = 0, height = 0, width = 0] = dims.map(({ dimValue }) => dimValue ?? 0);
  if (channels !== 3 && channels !== 0)
    throw unsuitable(what, `expects ${counted(channels, 'channel')} instead of 3`);
  const fixed = height > 0 && width > 0 ? { width, height } : null;
  return { fixed, trial: fixed ?? TRIAL_SIZE };
}

function unsuitable(what: string, reason: string): ModelError {
  return new ModelError('MODEL_UNSUITABLE', `${what} cannot be used: it ${reason}.`);
}

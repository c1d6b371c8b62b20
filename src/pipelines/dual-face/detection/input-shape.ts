import { ModelError } from '../../../domain/errors.ts';
import { validateSelfContained } from '../../../inference/models/inspect-model.ts';
import type { OnnxModel } from '../../../inference/models/onnx-model.ts';

/** Edges of a model's input in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A multiple of the coarsest stride of all known detectors. */
const TRIAL_SIZE: Size = { width: 320, height: 320 };

/**
 * What sizes a model of one image takes: `fixed` where it takes just one, and the one to try it with.
 *
 * @throws ModelError MODEL_UNSUITABLE
 */
export function inputShape(model: OnnxModel, what: string): { fixed: Size | null; trial: Size } {
  validateSelfContained(model, what);
  const constants = new Set(model.graph.initializer.map(({ name }) => name));
  const [input, another] = model.graph.input.filter(({ name }) => !constants.has(name));
  const dims = input?.type?.tensorType?.shape?.dim ?? [];
  if (input === undefined || another !== undefined || dims.length !== 4)
    throw unsuitable(what, 'does not take exactly one image [1, 3, height, width]');
  const [, channels = 0, height = 0, width = 0] = dims.map(({ dimValue }) => dimValue ?? 0);
  if (channels !== 3 && channels !== 0)
    throw unsuitable(what, `takes ${channels} channels where 3 were expected`);
  const fixed = height > 0 && width > 0 ? { width, height } : null;
  return { fixed, trial: fixed ?? TRIAL_SIZE };
}

function unsuitable(what: string, reason: string): ModelError {
  return new ModelError('MODEL_UNSUITABLE', `${what} cannot be used: it ${reason}.`);
}

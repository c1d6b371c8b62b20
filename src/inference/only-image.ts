import { EngineError } from '../domain/errors.ts';
import type { ModelOutput, Tensor } from './engine.ts';

/** The only output of a model, which must be an image in NCHW order. @throws EngineError ENGINE_FAILED if it is not */
export function onlyImage(outputs: readonly ModelOutput[]): Tensor {
  const [output, second] = outputs;
  const [n, c, h, w, more] = output?.shape ?? [];
  const isImage = second === undefined && w !== undefined && more === undefined;
  if (isImage && output !== undefined && n !== undefined && c !== undefined && h !== undefined)
    return { data: output.data, shape: [n, c, h, w] };
  const found = outputs.map(({ shape }) => shape.join('x')).join(', ');
  throw new EngineError('ENGINE_FAILED', `The model returned ${found} instead of one image in NCHW order.`);
}

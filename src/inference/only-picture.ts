import { EngineError } from '../domain/errors.ts';
import type { NetworkOutput, Tensor } from './engine.ts';

/** The result of a network that gives one picture in NCHW order. @throws EngineError ENGINE_FAILED for any other */
export function onlyPicture(outputs: readonly NetworkOutput[]): Tensor {
  const [output, second] = outputs;
  const [n, c, h, w, more] = output?.shape ?? [];
  const isPicture = second === undefined && w !== undefined && more === undefined;
  if (isPicture && output !== undefined && n !== undefined && c !== undefined && h !== undefined)
    return { data: output.data, shape: [n, c, h, w] };
  const found = outputs.map(({ shape }) => shape.join('x')).join(', ');
  throw new EngineError('ENGINE_FAILED', `The network gave ${found} instead of one picture in NCHW order.`);
}

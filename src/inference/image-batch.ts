import { EngineError } from '../domain/errors.ts';
import type { ModelOutput, Tensor } from './engine.ts';

/** Whether two inputs can be run as one batch. */
export function haveSameShape(a: Tensor, b: Tensor): boolean {
  return a.shape.every((length, i) => length === b.shape[i]);
}

/** Stacks tensors of one shape into a batch. */
export function stackTensors(tensors: readonly [Tensor, ...Tensor[]]): Tensor {
  const [first] = tensors;
  const length = first.data.length;
  const data = new Float32Array(length * tensors.length);
  tensors.forEach((tensor, i) => data.set(tensor.data, i * length));
  const [, channels, height, width] = first.shape;
  return { data, shape: [tensors.length, channels, height, width] };
}

/**
 * The outputs of the image at `index` in a batch of `count`. They are copies, so that one stream does not keep the whole
 * batch in memory.
 *
 * @throws EngineError ENGINE_FAILED if the outputs are not those of a batch
 */
export function outputsOfImage(
  outputs: readonly ModelOutput[],
  index: number,
  count: number,
): readonly ModelOutput[] {
  return outputs.map(({ name, data, shape: [batch, ...rest] }) => {
    if (batch !== count)
      throw new EngineError(
        'ENGINE_FAILED',
        `The outputs of the model have the batch size ${String(batch)} instead of ${count}.`,
      );
    const length = data.length / count;
    return { name, data: data.slice(index * length, (index + 1) * length), shape: [1, ...rest] };
  });
}

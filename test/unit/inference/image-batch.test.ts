import { expect, test } from 'vitest';
import type { Tensor } from '../../../src/inference/engine.ts';
import { haveSameShape, outputsOfImage, stackTensors } from '../../../src/inference/image-batch.ts';

const tensor = (first: number): Tensor => ({
  data: Float32Array.from({ length: 6 }, (_, i) => first + i),
  shape: [1, 3, 1, 2],
});

test('tensors are stacked in order', () => {
  const { data, shape } = stackTensors([tensor(0), tensor(10)]);
  expect(shape).toEqual([2, 3, 1, 2]);
  expect([...data]).toEqual([0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]);
});

test('each image gets its own outputs, as copies', () => {
  const data = Float32Array.from([1, 2, 3, 4]);
  const [first] = outputsOfImage([{ name: 'scores', data, shape: [2, 2] }], 1, 2);
  expect(first).toEqual({ name: 'scores', data: Float32Array.from([3, 4]), shape: [1, 2] });
  expect(first?.data.buffer).not.toBe(data.buffer);
});

test('a model that does not return one result per image is reported', () => {
  const outputs = [{ name: 'scores', data: new Float32Array(2), shape: [1, 2] }];
  expect(() => outputsOfImage(outputs, 0, 2)).toThrow(
    'The outputs of the model have the batch size 1 instead of 2.',
  );
});

test('only tensors of one shape can be batched', () => {
  expect(haveSameShape(tensor(0), tensor(1))).toBe(true);
  expect(haveSameShape(tensor(0), { ...tensor(0), shape: [1, 3, 2, 1] })).toBe(false);
});

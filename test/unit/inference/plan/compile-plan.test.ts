import { expect, test } from 'vitest';
import { encodeModel } from '../../../../src/inference/models/onnx-model.ts';
import { OnnxGraphBuilder } from '../../../../src/inference/models/onnx-graph-builder.ts';
import { compilePlan, makePlan } from '../../../../src/inference/plan/compile-plan.ts';
import type { Plan, PlanTensor } from '../../../../src/inference/plan/plan-format.ts';
import { tinySrvgg } from '../../../helpers/tiny-models.ts';

const SAME = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };

/** A graph as `write` makes it, from `input` to `output`, and its plan. */
function planOf(write: (graph: Graph) => void): Plan {
  const graph = new Graph();
  write(graph);
  return makePlan(encodeModel(graph.build('test')), 'test');
}

class Graph extends OnnxGraphBuilder {
  /** A 3x3 convolution without bias whose weights are all `value`. */
  conv(input: string, output: string, cin: number, cout: number, value = 0.5, attributes = {}): void {
    const weights = new Float32Array(cout * cin * 9).fill(value);
    this.constant(`${output}.weight`, [cout, cin, 3, 3], weights);
    this.node('Conv', [input, `${output}.weight`], output, { ...SAME, ...attributes });
  }

  scalar(name: string, value: number): string {
    return this.constant(name, [], Float32Array.of(value));
  }
}

const stepsOf = (plan: Plan) =>
  plan.steps.map(({ op, scale, scales, residuals, activation, actLast }) => ({
    op,
    scale,
    scales,
    residuals: residuals.length,
    activation: activation.kind,
    actLast,
  }));

/**
 * Simulates a plan: every channel of every slot holds the number of the tensor that was last written there, and each read
 * must find the tensor complete.
 */
function expectNothingOverwritten({ tensors, steps, outputs }: Plan): void {
  const slots = new Map<number, (number | undefined)[]>();
  const channelsOf = ({ slot, offset, channels }: PlanTensor) =>
    Array.from({ length: channels }, (_, i) => slots.get(slot)?.[offset + i]);
  const written = new Set<number>();
  const write = (number: number) => {
    const tensor = tensors[number];
    if (tensor === undefined) throw new RangeError(`There is no tensor ${number}.`);
    expect(tensor.offset % 8).toBe(0);
    expect(tensor.offset + tensor.channels).toBeLessThanOrEqual(tensor.pitch);
    const slot = slots.get(tensor.slot) ?? [];
    for (let i = 0; i < tensor.channels; i++) slot[tensor.offset + i] = number;
    slots.set(tensor.slot, slot);
    written.add(number);
  };
  const read = (number: number) => {
    const tensor = tensors[number];
    if (tensor === undefined) throw new RangeError(`There is no tensor ${number}.`);
    const found = channelsOf(tensor);
    if (written.has(number)) {
      expect(new Set(found)).toEqual(new Set([number]));
      return;
    }
    // A concatenation: all of it has been written, by tensors that lie inside of it.
    expect(found).not.toContain(undefined);
    for (const part of new Set(found)) {
      expect(tensors[part ?? -1]?.pitch).toBe(tensor.pitch);
      expect(tensors[part ?? -1]?.offset).toBeGreaterThanOrEqual(tensor.offset);
    }
  };
  write(0);
  for (const { input, output, residuals } of steps) {
    for (const number of [input, ...residuals]) read(number);
    // No step writes to memory that it reads, because pixels are computed in any order.
    const [from, to] = [tensors[input], tensors[output]];
    const apart =
      from?.slot !== to?.slot ||
      (from?.offset ?? 0) + (from?.channels ?? 0) <= (to?.offset ?? 0) ||
      (to?.offset ?? 0) + (to?.channels ?? 0) <= (from?.offset ?? 0);
    expect(apart).toBe(true);
    write(output);
  }
  for (const { tensor } of outputs) read(tensor);
}

test('an SRVGG model becomes convolutions with their activations, and one step at the end', () => {
  const plan = makePlan(tinySrvgg(), 'tiny');
  const steps = stepsOf(plan);
  expect(steps.at(-1)).toMatchObject({ op: 'depthToSpace', residuals: 1 });
  expect(steps.slice(0, -1).map(({ op }) => op)).toEqual(steps.slice(0, -1).map(() => 'conv'));
  expect(steps.at(-2)?.activation).toBe('none');
  expect(steps[0]?.activation).toBe('pRelu');
  expectNothingOverwritten(plan);
});

test('scalings and sums are fused into the convolution before them, including those around a block', () => {
  const plan = planOf((graph) => {
    graph.conv('input', 'x', 3, 8);
    graph.conv('x', 'a', 8, 8);
    graph.node('Mul', ['a', graph.scalar('fifth', 0.25)], 'a5');
    graph.node('Add', ['a5', 'x'], 'inner');
    graph.node('Mul', ['inner', 'fifth'], 'inner5');
    graph.node('Add', ['inner5', 'x'], 'output');
  });
  expect(stepsOf(plan)).toEqual([
    { op: 'conv', scale: 1, scales: [], residuals: 0, activation: 'none', actLast: false },
    { op: 'conv', scale: 0.0625, scales: [0.25, 1], residuals: 2, activation: 'none', actLast: false },
  ]);
  expectNothingOverwritten(plan);
});

test('an activation after a sum is applied last, one before a sum first', () => {
  const [, after, before] = planOf((graph) => {
    graph.conv('input', 'x', 3, 8);
    graph.conv('x', 'a', 8, 8);
    graph.node('Add', ['a', 'x'], 'sum');
    graph.node('Relu', ['sum'], 'y');
    graph.conv('y', 'b', 8, 8);
    graph.node('LeakyRelu', ['b'], 'b+', { alpha: { float: 0.25 } });
    graph.node('Add', ['b+', 'y'], 'output');
  }).steps;
  expect(after).toMatchObject({ activation: { kind: 'leakyRelu', slope: 0 }, actLast: true, scales: [1] });
  expect(before).toMatchObject({
    activation: { kind: 'leakyRelu', slope: 0.25 },
    actLast: false,
    scales: [1],
  });
});

test('a value with several readers is not fused', () => {
  const plan = planOf((graph) => {
    graph.conv('input', 'x', 3, 8);
    graph.node('Relu', ['x'], 'y');
    graph.node('Add', ['x', 'y'], 'output');
  });
  expect(stepsOf(plan)).toMatchObject([
    { op: 'conv', activation: 'none' },
    { op: 'add', activation: 'leakyRelu', residuals: 1, actLast: false },
  ]);
  expectNothingOverwritten(plan);
});

test('a dense block shares one slot, in which each layer appends its channels', () => {
  const plan = planOf((graph) => {
    graph.conv('input', 'x', 3, 16);
    graph.conv('x', 'a', 16, 8);
    graph.node('Concat', ['x', 'a'], 'xa', { axis: 1 });
    graph.conv('xa', 'b', 24, 8);
    graph.node('Concat', ['x', 'a', 'b'], 'xab', { axis: 1 });
    graph.conv('xab', 'c', 32, 16);
    graph.node('Add', ['c', 'x'], 'output');
  });
  const block = plan.tensors.filter(({ pitch }) => pitch === 32);
  expect(new Set(block.map(({ slot }) => slot)).size).toBe(1);
  expect(
    block.map(({ offset, channels }) => [offset, channels]).sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0)),
  ).toEqual(
    expect.arrayContaining([
      [0, 16],
      [0, 24],
      [0, 32],
      [16, 8],
      [24, 8],
    ]),
  );
  expectNothingOverwritten(plan);
});

test('a chain of any length needs two slots in addition to the input', () => {
  const plan = planOf((graph) => {
    graph.conv('input', 'x0', 3, 8);
    for (let i = 0; i < 20; i++) graph.conv(`x${i}`, `x${i + 1}`, 8, 8);
    graph.conv('x20', 'output', 8, 3);
  });
  expect(new Set(plan.tensors.map(({ slot }) => slot)).size).toBeLessThanOrEqual(3);
  expectNothingOverwritten(plan);
});

test('weights are ordered with the input channels last', () => {
  const values = Float32Array.from({ length: 2 * 3 * 9 }, (_, i) => i);
  const [conv] = planOf((graph) => {
    graph.constant('w', [2, 3, 3, 3], values);
    graph.node('Conv', ['input', 'w'], 'output', SAME);
  }).steps;
  // [output][tap][input] from [output][input][tap]
  expect([...(conv?.weights ?? [])].slice(0, 7)).toEqual([0, 9, 18, 1, 10, 19, 2]);
});

test('half-precision plans are smaller by their weights', () => {
  const [full, half] = (['float32', 'float16'] as const).map((type) =>
    compilePlan(tinySrvgg(), type, 'tiny'),
  );
  const weights = makePlan(tinySrvgg(), 'tiny').steps.flatMap(({ weights, bias, activation }) => [
    weights?.length ?? 0,
    bias?.length ?? 0,
    activation.kind === 'pRelu' ? activation.slopes.length : 0,
  ]);
  const count = weights.reduce((sum, each) => sum + each, 0);
  expect((full?.length ?? 0) - (half?.length ?? 0)).toBe(2 * count);
});

test('padding with channels before an addition needs no step, and padding with rows and columns is a convolution', () => {
  const plan = planOf((g) => {
    g.conv('input', 'small', 3, 8);
    g.node('Pad', ['small', g.integers('behind', [0, 0, 0, 0, 0, 8, 0, 0])], 'padded');
    g.conv('small', 'large', 8, 16);
    g.node('Add', ['padded', 'large'], 'sum');
    g.node('Pad', ['sum', g.integers('around', [0, 0, 0, 0, 0, 0, 1, 2])], 'output');
  });
  expect(stepsOf(plan).map(({ op, residuals }) => [op, residuals])).toEqual([
    ['conv', 0],
    ['conv', 1],
    ['conv', 0],
  ]);
  const [, , around] = plan.steps;
  expect(around?.groups).toBe(16);
  // Only the central weight of 5x5 is not zero: rows and columns are added below and to the right.
  expect(around?.window).toEqual({ kernel: [5, 5], strides: [1, 1], pads: [2, 2, 3, 4] });
  expect([...(around?.weights ?? [])].flatMap((weight, i) => (weight === 0 ? [] : [i]))).toEqual(
    Array.from({ length: 16 }, (_, channel) => channel * 25 + 12),
  );
  expectNothingOverwritten(plan);
});

test.each<[string, (graph: Graph) => void, RegExp]>([
  [
    'channels of zeros before those of the image',
    (g) => g.node('Pad', ['input', g.integers('p', [0, 1, 0, 0, 0, 0, 0, 0])], 'output'),
    /Pad other than with zeros/,
  ],
  [
    'a mirrored border',
    (g) => g.node('Pad', ['input', g.integers('p', [0, 0, 1, 1, 0, 0, 1, 1])], 'output', { mode: 'reflect' }),
    /Pad other than with zeros/,
  ],
  [
    'padded channels that are not added',
    (g) => {
      g.node('Pad', ['input', g.integers('p', [0, 0, 0, 0, 0, 5, 0, 0])], 'padded');
      g.conv('padded', 'output', 8, 8);
    },
    /Conv of padded channels/,
  ],
  ['an operator', (g) => g.node('Softmax', ['input'], 'output'), /do not support Softmax \(node output\)/],
  ['dilations', (g) => g.conv('input', 'output', 3, 3, 1, { dilations: [2, 2] }), /Conv with dilations/],
  ['auto_pad', (g) => g.conv('input', 'output', 3, 3, 1, { auto_pad: 'SAME_UPPER' }), /auto_pad SAME_UPPER/],
  [
    'weights of the wrong shape',
    (g) => g.conv('input', 'output', 4, 4),
    /Conv with weights of shape \[4, 4, 3, 3\] for 3 channels/,
  ],
  ['a product of images', (g) => g.node('Mul', ['input', 'input'], 'output'), /Mul of two images/],
  [
    'depth to space in DCR mode',
    (g) => g.node('DepthToSpace', ['input'], 'output', { blocksize: 1, mode: 'DCR' }),
    /DepthToSpace in DCR mode/,
  ],
  [
    'a concatenation of rows',
    (g) => g.node('Concat', ['input', 'input'], 'output', { axis: 2 }),
    /Concat along an axis other than channels/,
  ],
])('an unsupported operator is named: %s', (_, write, message) => {
  expect(() => planOf(write)).toThrow(message);
  expect(() => planOf(write)).toThrow(expect.objectContaining({ code: 'ENGINE_UNAVAILABLE' }) as Error);
});

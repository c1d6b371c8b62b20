import { beforeAll, describe, expect, test } from 'vitest';
import { compileToPtx, whyNoPtx } from '../helpers/ptx/compile-kernels.ts';
import { DeviceData, Image, integers, NO_TENSOR, randomNumbers, Struct } from '../helpers/ptx/device-data.ts';
import { Epilogue, type EpilogueOptions } from '../helpers/ptx/epilogue.ts';
import { errorOf, piecesOf, runPieces } from '../helpers/ptx/run-pixels.ts';

const LIMIT = 1e-3;
const THREADS = 256;
const random = randomNumbers(7);
const images = (
  data: DeviceData,
  input: readonly [number, number, number],
  output: readonly [number, number, number],
) => ({
  x: new Image(...input).fill(() => random(-2, 2)).addTo(data),
  y: new Image(...output, 16).addTo(data),
});

describe.skipIf(whyNoPtx !== null)(`layers as PTX${whyNoPtx === null ? '' : ` (${whyNoPtx})`}`, () => {
  let layers = '';
  let direct = '';
  beforeAll(() => {
    layers = compileToPtx('layers', '80');
    direct = compileToPtx('conv_direct', '80');
  });

  test.each([
    { name: 'MaxPoolKernel', kernel: 3 },
    { name: 'AveragePoolKernel', kernel: 3 },
    { name: 'AveragePoolKernel', kernel: 0 },
  ])('$name with a window of $kernel', ({ name, kernel }) => {
    const data = new DeviceData();
    const out = kernel === 0 ? 1 : 6;
    const { x, y } = images(data, [11, 12, 13], [out, out, 13]);
    const parameters = new Struct(
      ['struct', x.struct],
      ['struct', y.struct],
      ...integers(kernel, kernel, 2, 2, 1, 1),
    );
    const memory = runPieces(layers, name, [piecesOf(y), THREADS], parameters, data);
    const error = errorOf(y, memory, (row, column, channel) => {
      const values: number[] = [];
      const [top, left] = kernel === 0 ? [0, 0] : [row * 2 - 1, column * 2 - 1];
      for (let i = Math.max(0, top); i < Math.min(11, kernel === 0 ? 11 : top + kernel); i++) {
        for (let j = Math.max(0, left); j < Math.min(12, kernel === 0 ? 12 : left + kernel); j++)
          values.push(x.at(i, j, channel));
      }
      return name === 'MaxPoolKernel'
        ? Math.max(...values)
        : values.reduce((sum, value) => sum + value) / values.length;
    });
    expect(error).toBeLessThan(LIMIT);
  });

  test.each<EpilogueOptions>([
    { activation: 'prelu', residuals: [20] },
    { activation: 'leaky', residuals: [20, 12], actLast: true },
    { activation: 'sigmoid' },
  ])('AddKernel with $activation', (options) => {
    const data = new DeviceData();
    const { x, y } = images(data, [7, 9, 12], [7, 9, 20]);
    const epilogue = new Epilogue(data, y, { ...options, bias: false }, random);
    const parameters = new Struct(['struct', x.struct], ['struct', y.struct], ['struct', epilogue.struct]);
    const memory = runPieces(layers, 'AddKernel', [piecesOf(y), THREADS], parameters, data);
    expect(
      errorOf(y, memory, (r, c, channel) => epilogue.apply(x.padded(r, c, channel), r, c, channel)),
    ).toBeLessThan(LIMIT);
  });

  test('ResizeNearestKernel and ResizeBilinearKernel', () => {
    for (const name of ['ResizeNearestKernel', 'ResizeBilinearKernel']) {
      const data = new DeviceData();
      const { x, y } = images(data, [5, 7, 12], [15, 21, 12]);
      const parameters = new Struct(['struct', x.struct], ['struct', y.struct], ['i32', 3]);
      const memory = runPieces(layers, name, [piecesOf(y), THREADS], parameters, data);
      const around = (at: number, length: number): readonly [number, number, number] => {
        const position = Math.max(0, (at + 0.5) / 3 - 0.5);
        const low = Math.min(Math.floor(position), length - 1);
        return [low, Math.min(low + 1, length - 1), position - low];
      };
      const error = errorOf(y, memory, (row, column, channel) => {
        if (name === 'ResizeNearestKernel') return x.at(Math.floor(row / 3), Math.floor(column / 3), channel);
        const [top, bottom, v] = around(row, 5);
        const [left, right, h] = around(column, 7);
        const across = (r: number): number => x.at(r, left, channel) * (1 - h) + x.at(r, right, channel) * h;
        return across(top) * (1 - v) + across(bottom) * v;
      });
      expect(error, name).toBeLessThan(LIMIT);
    }
  });

  test.each([3, 0])('DepthToSpaceKernel with %i channels to add', (channels) => {
    const data = new DeviceData();
    const { x, y } = images(data, [5, 7, 12], [10, 14, 3]);
    const base = new Image(5, 7, 3).fill(() => random(-1, 1)).addTo(data);
    const parameters = new Struct(
      ['struct', x.struct],
      ['struct', y.struct],
      ['struct', channels === 0 ? NO_TENSOR : base.struct],
      ['f32', 0.5],
      ['f32', 2],
      ['i32', 2],
    );
    const memory = runPieces(layers, 'DepthToSpaceKernel', [piecesOf(y), THREADS], parameters, data);
    const error = errorOf(y, memory, (row, column, channel) => {
      const [r, c] = [row >> 1, column >> 1];
      const value = 0.5 * x.at(r, c, (channel * 2 + (row % 2)) * 2 + (column % 2));
      return channels === 0 ? value : value + 2 * base.at(r, c, channel);
    });
    expect(error).toBeLessThan(LIMIT);
  });

  test.each([
    { name: 'DenseConvKernel', inputs: 3, outputs: 20, activation: 'prelu' },
    { name: 'DepthwiseConvKernel', inputs: 12, outputs: 12, activation: 'leaky' },
  ] as const)('$name', ({ name, inputs, outputs, activation }) => {
    const depthwise = name === 'DepthwiseConvKernel';
    const data = new DeviceData();
    const { x, y } = images(data, [9, 14, inputs], [5, 7, outputs]);
    const terms = depthwise ? 1 : inputs;
    const padded = Math.ceil(outputs / 8) * 8;
    const weights = Float32Array.from({ length: 9 * terms * padded }, () => random(-0.3, 0.3));
    const epilogue = new Epilogue(data, y, { activation, residuals: [outputs] }, random);
    const parameters = new Struct(
      ['struct', x.struct],
      ['struct', y.struct],
      ['u64', data.add(weights)],
      ['struct', epilogue.struct],
      ...integers(3, 3, 2, 2, 1, 1),
      ['u8', depthwise ? 1 : 0],
    );
    const pieces = depthwise ? piecesOf(y) : 5 * Math.ceil(7 / 4) * (padded / 8);
    const memory = runPieces(direct, name, [pieces, 128], parameters, data);
    const error = errorOf(y, memory, (row, column, channel) => {
      let sum = 0;
      for (let i = 0; i < 9 * terms; i++) {
        const tap = Math.floor(i / terms);
        const from = x.padded(
          row * 2 - 1 + Math.floor(tap / 3),
          column * 2 - 1 + (tap % 3),
          depthwise ? channel : i % terms,
        );
        sum += from * (weights[i * padded + channel] ?? 0);
      }
      return epilogue.apply(sum, row, column, channel);
    });
    expect(error).toBeLessThan(LIMIT);
  });
});

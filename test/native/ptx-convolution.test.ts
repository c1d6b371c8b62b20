import { beforeAll, describe, expect, test } from 'vitest';
import { compileToPtx, whyNoPtx } from '../helpers/ptx/compile-kernels.ts';
import { type ConvolutionCase, convolve, MMA, WGMMA } from '../helpers/ptx/convolution.ts';

const LIMIT = 2e-3;
/** Two blocks side by side, and two below each other; on wgmma, blocks are wider. */
const BESIDE = { height: 5, width: 37, inputs: 64 };
const BELOW = { height: 9, width: 20, inputs: 64 };

const CASES: readonly ConvolutionCase[] = [
  { ...BELOW, outputs: 12, activation: 'prelu' },
  { ...BESIDE, outputs: 32, activation: 'leaky', residuals: [32] },
  { ...BESIDE, outputs: 48, bias: false },
  { ...BELOW, outputs: 64, activation: 'prelu', residuals: [64, 24], actLast: true },
  { ...BESIDE, inputs: 32, outputs: 100, activation: 'sigmoid' },
];

describe.skipIf(whyNoPtx !== null).each([
  { file: 'conv3x3_tensor', architecture: '80', kernel: MMA },
  { file: 'conv3x3_tensor', architecture: '75', kernel: MMA },
  { file: 'conv3x3_wgmma', architecture: '90a', kernel: WGMMA },
] as const)(`$file as PTX for $architecture${whyNoPtx === null ? '' : ` (${whyNoPtx})`}`, (compiled) => {
  const { file, architecture, kernel } = compiled;
  let ptx = '';
  beforeAll(() => {
    ptx = compileToPtx(file, architecture);
  });

  test.each(CASES)('$inputs to $outputs channels, $activation', (options) => {
    const outcome = convolve(
      ptx,
      kernel,
      kernel === WGMMA && options.width > 32 ? { ...options, width: 70 } : options,
    );
    expect(outcome.error).toBeLessThan(LIMIT);
    expect(outcome.wroteElsewhere).toBe(false);
  });

  test('a warp spends at most 1,700 instructions after the products of 64 channels', () => {
    const { height, width } = kernel.tile;
    const { executed } = convolve(ptx, kernel, {
      height,
      width,
      inputs: 32,
      outputs: 64,
      activation: 'prelu',
    });
    expect(executed.slice(-2).reduce((sum, count) => sum + count)).toBeLessThan(1700);
  });
});

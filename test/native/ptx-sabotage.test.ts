import { beforeAll, describe, expect, test } from 'vitest';
import { compileToPtx, whyNoPtx } from '../helpers/ptx/compile-kernels.ts';
import { convolve, MMA, type TensorKernel, WGMMA } from '../helpers/ptx/convolution.ts';

/** Faults that a compiler, a wrong layout or a forgotten line would make; each changes the first place in the first kernel. */
const FAULTS: Readonly<Record<string, readonly [RegExp, string]>> = {
  'swapped registers of a right operand': [
    /(mma\.sync\S+\s*\{[^}]*\}, \{[^}]*\}, \{)(%r\d+), (%r\d+)\}/,
    '$1$3, $2}',
  ],
  'swapped sums': [/(mma\.sync\S+\s*\{%f\d+, )(%f\d+), (%f\d+)/, '$1$3, $2'],
  'swapped matrices of a load': [/(ldmatrix\S+\s*\{)(%r\d+), (%r\d+)/, '$1$3, $2'],
  'a changed offset': [/(st\.shared\.(?:u32|b32)\s*\[%r\d+)(?:\+(\d+))?\]/, '$1+32]'],
  'another width of the border': [/(mul\.lo\.s32\s+%r\d+, %r\d+, )34;/, '$135;'],
  'a wait that is missing': [/cp\.async\.wait_group \d+;/, ''],
  'a barrier that is missing': [/bar\.sync\s+0;/, ''],
  'lanes that do not meet': [/bar\.warp\.sync\s+-1;/, ''],
  // The last one of the first kernel.
  'a row that is read before all lanes have written it': [
    /bar\.warp\.sync\s+-1;(?=(?:(?!bar\.warp\.sync)[\s\S])*?\.entry)/,
    '',
  ],
};
const GROUP_FAULTS: Readonly<Record<string, readonly [RegExp, string]>> = {
  'swapped sums': [/(mma_async\S+ \{%f\d+, )(%f\d+), (%f\d+)/, '$1$3, $2'],
  'swapped matrices of a store': [/(stmatrix\S+ \[%r\d+\], \{)(%r\d+), (%r\d+)/, '$1$3, $2'],
  'another stride of a matrix': [/(or\.b64\s+%rd\d+, %rd\d+, )34402271232/, '$134368716800'],
  'a last wait that is missing': [/wgmma\.wait_group\.sync\.aligned 0;/, ''],
};

/** The largest error, or why the interpreter stopped. */
function outcome(ptx: string, kernel: TensorKernel, outputs: number): number | string {
  const width = kernel === WGMMA ? 64 : 33;
  try {
    return convolve(ptx, kernel, { height: 8, width, inputs: 64, outputs, activation: 'prelu' }).error;
  } catch (error) {
    return String(error);
  }
}

describe.skipIf(whyNoPtx !== null)(
  `faults in the PTX are noticed${whyNoPtx === null ? '' : ` (${whyNoPtx})`}`,
  () => {
    const texts = { mma: '', wgmma: '' };
    beforeAll(() => {
      texts.mma = compileToPtx('conv3x3_tensor', '80');
      texts.wgmma = compileToPtx('conv3x3_wgmma', '90a');
    });

    test('there is none without them', () => {
      expect(outcome(texts.mma, MMA, 12)).toBeLessThan(2e-3);
      expect(outcome(texts.wgmma, WGMMA, 40)).toBeLessThan(2e-3);
    });

    test.each(Object.entries(FAULTS))('mma.sync: %s', (_, [place, instead]) => {
      const changed = texts.mma.replace(place, instead);
      expect(changed).not.toBe(texts.mma);
      expect(outcome(changed, MMA, 12)).toSatisfy(isFault);
    });

    test.each(Object.entries(GROUP_FAULTS))('wgmma: %s', (_, [place, instead]) => {
      const changed = texts.wgmma.replace(place, instead);
      expect(changed).not.toBe(texts.wgmma);
      expect(outcome(changed, WGMMA, 40)).toSatisfy(isFault);
    });
  },
);

function isFault(found: number | string): boolean {
  return typeof found === 'string' || found > 1e-2;
}

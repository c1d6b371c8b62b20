import { expect, it } from 'vitest';
import { kernelBytesOf } from '../../../../src/job/prepare/kernel-memory.ts';

it('leaves a model that our kernels cannot read to other engines', () => {
  expect(kernelBytesOf(Buffer.from('no model'), 'mine')).toBeNull();
});

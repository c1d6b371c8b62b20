import { expect, test } from 'vitest';
import type { FoundAdapter } from '../../../../src/inference/webgpu/find-adapter.ts';
import { createWebGpuEngine } from '../../../../src/inference/webgpu/webgpu-engine.ts';

test('the engine says that it is waiting while it looks for an adapter', async () => {
  let end: (found: FoundAdapter) => void = () => undefined;
  const engine = createWebGpuEngine(() => new Promise((resolve) => (end = resolve)));
  // The search ends only when the engine has said so.
  const onWait = () => end({ adapter: null, reason: 'none', isDriverMissing: true });
  await expect(engine.load(new Uint8Array(), { threads: 1, onWait })).rejects.toThrow('none');
});

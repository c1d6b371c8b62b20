import { expect, test, vi } from 'vitest';
import { EngineError, SharedThreadError } from '../../../src/domain/errors.ts';
import { StreamPort } from '../../../src/inference-thread/host.ts';
import type { TransformSetup } from '../../../src/inference-thread/protocol.ts';
import { Transformer } from '../../../src/inference-thread/client.ts';
import { sourceOf } from '../../helpers/upscale-source.ts';

const SETUP: TransformSetup = {
  jobId: 1,
  recipe: { pipeline: 'upscale', model: 'lanczos', scale: 2, device: 'cpu', tile: 'auto' },
  source: sourceOf(8, 8),
  model: null,
  embedding: null,
  tile: null,
  threads: 1,
  weight: 1,
  sharing: { batch: 1, waitMs: 0 },
  traceFile: null,
};

/** A stream on a thread that holds so many; the test plays the thread. */
function onThreadOf(openCount: number, stallMs = 60_000) {
  const port = new StreamPort(() => undefined);
  const listeners = { onNotice: () => undefined, onSmallerTile: () => undefined };
  return { port, transformer: new Transformer({ open: () => port, openCount }, SETUP, stallMs, listeners) };
}

test.each([
  [1, EngineError, 'ENGINE_FAILED'],
  [2, SharedThreadError, 'SHARED_THREAD_LOST'],
] as const)('a crash of a thread of %d streams', async (openCount, kind, code) => {
  const { port, transformer } = onThreadOf(openCount);
  const ready = transformer.ready(new AbortController().signal);
  port.emit('error', new Error('out of luck'));
  const error: unknown = await ready.catch((each: unknown) => each);
  expect(error).toBeInstanceOf(kind);
  expect(error).toMatchObject({ code, message: 'The transform thread crashed: out of luck' });
});

test.each([
  [1, EngineError],
  [2, SharedThreadError],
] as const)('a hang of a thread of %d streams, also while it is closed', async (openCount, kind) => {
  const { transformer } = onThreadOf(openCount, 20);
  vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: 0, system: 0 });
  await expect(transformer.ready(new AbortController().signal)).rejects.toThrow(kind);
  await expect(transformer.close()).rejects.toThrow('moved nothing for 0.02 s and used no processor');
});

test('a tile is a word: a frame may take longer than the longest silence, and a sentence tells what was seen', async () => {
  vi.useFakeTimers();
  try {
    let cpuMs = 0;
    vi.spyOn(process, 'cpuUsage').mockImplementation(() => ({ user: 1000 * (cpuMs += 10_000), system: 0 }));
    const { port, transformer } = onThreadOf(1, 10_000);
    let ended: unknown = null;
    transformer.ready(new AbortController().signal).catch((error: unknown) => (ended = error));
    for (let tile = 0; tile < 10; tile++) {
      await vi.advanceTimersByTimeAsync(200_000);
      port.emit('message', { kind: 'alive' });
    }
    expect(ended).toBeNull();
    await vi.advanceTimersByTimeAsync(301_000);
    expect(ended).toMatchObject({
      code: 'ENGINE_STALLED',
      message:
        'The model moved nothing for 300 s though it used the processor all the time; the worker is started anew.',
    });
  } finally {
    vi.useRealTimers();
  }
});

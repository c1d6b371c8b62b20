import { expect, test, vi } from 'vitest';
import { EngineError, SharedThreadError } from '../../../src/domain/errors.ts';
import { InferenceClient } from '../../../src/inference-thread/client.ts';
import { InferencePort } from '../../../src/inference-thread/inference-thread.ts';
import type { PipelineSetup } from '../../../src/inference-thread/protocol.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { sourceOf } from '../../helpers/upscale-source.ts';

const SETUP: PipelineSetup = {
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

/** A client on a thread with `openCount` open ports; the test plays the thread. */
function clientOn(openCount: number, stallMs = 60_000) {
  const port = new InferencePort(() => undefined);
  const client = new InferenceClient({ open: () => port, openCount }, silentLogger);
  const open = () => client.open(SETUP, stallMs, new AbortController().signal);
  return { port, client, open };
}

test.each([
  [1, EngineError, 'ENGINE_FAILED'],
  [2, SharedThreadError, 'SHARED_THREAD_LOST'],
] as const)('a crash of a thread with %d open ports', async (openCount, kind, code) => {
  const { port, open } = clientOn(openCount);
  const opened = open();
  port.emit('error', new Error('device lost'));
  const error: unknown = await opened.catch((each: unknown) => each);
  expect(error).toBeInstanceOf(kind);
  expect(error).toMatchObject({ code, message: 'The inference thread crashed: device lost' });
});

test.each([
  [1, EngineError],
  [2, SharedThreadError],
] as const)('a hang of a thread with %d open ports, also while closing', async (openCount, kind) => {
  const { client, open } = clientOn(openCount, 20);
  vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: 0, system: 0 });
  await expect(open()).rejects.toThrow(kind);
  await expect(client.close()).rejects.toThrow('no progress for 0.02 s and used almost no CPU time');
});

test('each tile counts as progress, so a frame may take longer than the longest silence', async () => {
  vi.useFakeTimers();
  try {
    let cpuMs = 0;
    vi.spyOn(process, 'cpuUsage').mockImplementation(() => ({ user: 1000 * (cpuMs += 10_000), system: 0 }));
    const { port, open } = clientOn(1, 10_000);
    let ended: unknown = null;
    open().catch((error: unknown) => (ended = error));
    for (let tile = 0; tile < 10; tile++) {
      await vi.advanceTimersByTimeAsync(200_000);
      port.emit('message', { kind: 'alive' });
    }
    expect(ended).toBeNull();
    await vi.advanceTimersByTimeAsync(301_000);
    expect(ended).toMatchObject({
      code: 'ENGINE_STALLED',
      message: 'The model made no progress for 300 s although it kept the CPU busy; restarting the worker.',
    });
  } finally {
    vi.useRealTimers();
  }
});

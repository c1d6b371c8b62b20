import { describe, expect, it, vi } from 'vitest';
import { EncoderSemaphore } from '../../../src/media/encode/encoder-semaphore.ts';

const request = { priority: 0, waitMs: null };

describe('EncoderSemaphore', () => {
  it('grants no more permits than there are sessions, and a returned one to the next waiter', async () => {
    const semaphore = new EncoderSemaphore(() => 2);
    const [first, second] = [await semaphore.acquire(request), await semaphore.acquire(request)];
    const entered = vi.fn();
    const third = semaphore.acquire(request).then((permit) => (entered(), permit));
    await Promise.resolve();
    expect(entered).not.toHaveBeenCalled();
    first?.close('done');
    first?.close('failed'); // The first call counts, and a permit is given back once.
    const permit = await third;
    expect(await semaphore.acquire({ ...request, waitMs: 0 })).toBeNull();
    second?.close('failed');
    permit?.close('done');
    expect(semaphore.counts).toEqual({ opened: 3, closed: 3, failed: 1, fallenBack: 0 });
  });

  it('serves higher priorities first, and equal ones in order', async () => {
    const semaphore = new EncoderSemaphore(() => 1);
    const held = await semaphore.acquire(request);
    const order: string[] = [];
    const all = (['a:0', 'b:5', 'c:0', 'd:5'] as const).map(async (name) => {
      const permit = await semaphore.acquire({ priority: Number(name.slice(2)), waitMs: null });
      order.push(name);
      permit?.close('done');
    });
    held?.close('done');
    await Promise.all(all);
    expect(order).toEqual(['b:5', 'd:5', 'a:0', 'c:0']);
  });

  it('gives up after the wait time, and a waiter that gave up gets no permit later', async () => {
    vi.useFakeTimers();
    const semaphore = new EncoderSemaphore(() => 1);
    const held = await semaphore.acquire(request);
    const inVain = semaphore.acquire({ priority: 9, waitMs: 30_000 });
    const patient = semaphore.acquire(request);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await inVain).toBeNull();
    held?.close('done');
    (await patient)?.close('done');
    expect(semaphore.counts).toMatchObject({ opened: 2, closed: 2 });
    vi.useRealTimers();
  });

  it('stops waiting when the job is stopped', async () => {
    const semaphore = new EncoderSemaphore(() => 1);
    const held = await semaphore.acquire(request);
    const stop = new AbortController();
    const waiting = semaphore.acquire({ ...request, signal: stop.signal });
    stop.abort(new Error('paused'));
    await expect(waiting).rejects.toThrow('paused');
    await expect(semaphore.acquire({ ...request, signal: stop.signal })).rejects.toThrow('paused');
    held?.close('done');
    expect(semaphore.counts).toMatchObject({ opened: 1, closed: 1 });
  });

  it('follows a limit that is lowered while permits are out', async () => {
    let limit = 2;
    const semaphore = new EncoderSemaphore(() => limit);
    const [first, second] = [await semaphore.acquire(request), await semaphore.acquire(request)];
    limit = 1;
    const third = semaphore.acquire({ ...request, waitMs: 20 });
    first?.close('done'); // One is still out, and one is all that there may be.
    expect(await third).toBeNull();
    second?.close('done');
    expect(await semaphore.acquire({ ...request, waitMs: 0 })).not.toBeNull();
  });
});

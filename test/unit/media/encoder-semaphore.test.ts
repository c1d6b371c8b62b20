import { describe, expect, it, vi } from 'vitest';
import { EncoderSemaphore } from '../../../src/media/encode/encoder-semaphore.ts';

const request = { priority: 0, waitMs: null };

describe('EncoderSemaphore', () => {
  it('gives no more permits at once than there are sessions, and each that comes back to who waits', async () => {
    const slots = new EncoderSemaphore(() => 2);
    const [first, second] = [await slots.take(request), await slots.take(request)];
    const entered = vi.fn();
    const third = slots.take(request).then((permit) => (entered(), permit));
    await Promise.resolve();
    expect(entered).not.toHaveBeenCalled();
    first?.close('done');
    first?.close('failed'); // The first call counts, and a permit is given back once.
    const permit = await third;
    expect(await slots.take({ ...request, waitMs: 0 })).toBeNull();
    second?.close('failed');
    permit?.close('done');
    expect(slots.counts).toEqual({ opened: 3, closed: 3, failed: 1, fallenBack: 0 });
  });

  it('lets higher priorities in first, and equal ones in order', async () => {
    const slots = new EncoderSemaphore(() => 1);
    const held = await slots.take(request);
    const order: string[] = [];
    const all = (['a:0', 'b:5', 'c:0', 'd:5'] as const).map(async (name) => {
      const permit = await slots.take({ priority: Number(name.slice(2)), waitMs: null });
      order.push(name);
      permit?.close('done');
    });
    held?.close('done');
    await Promise.all(all);
    expect(order).toEqual(['b:5', 'd:5', 'a:0', 'c:0']);
  });

  it('is waited for so long and no longer, and who gave up is not let in', async () => {
    vi.useFakeTimers();
    const slots = new EncoderSemaphore(() => 1);
    const held = await slots.take(request);
    const inVain = slots.take({ priority: 9, waitMs: 30_000 });
    const patient = slots.take(request);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await inVain).toBeNull();
    held?.close('done');
    (await patient)?.close('done');
    expect(slots.counts).toMatchObject({ opened: 2, closed: 2 });
    vi.useRealTimers();
  });

  it('is not waited for when the job is stopped', async () => {
    const slots = new EncoderSemaphore(() => 1);
    const held = await slots.take(request);
    const stop = new AbortController();
    const waiting = slots.take({ ...request, signal: stop.signal });
    stop.abort(new Error('paused'));
    await expect(waiting).rejects.toThrow('paused');
    await expect(slots.take({ ...request, signal: stop.signal })).rejects.toThrow('paused');
    held?.close('done');
    expect(slots.counts).toMatchObject({ opened: 1, closed: 1 });
  });

  it('follows a limit that is lowered while permits are out', async () => {
    let limit = 2;
    const slots = new EncoderSemaphore(() => limit);
    const [first, second] = [await slots.take(request), await slots.take(request)];
    limit = 1;
    const third = slots.take({ ...request, waitMs: 20 });
    first?.close('done'); // One is still out, and one is all that there may be.
    expect(await third).toBeNull();
    second?.close('done');
    expect(await slots.take({ ...request, waitMs: 0 })).not.toBeNull();
  });
});

import { expect, test } from 'vitest';
import { Semaphore, type Permit } from '../../../src/lib/semaphore.ts';

/** Lets every promise settle that can. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('at most `limit` permits are held, and waiters enter in the order of their calls', async () => {
  const semaphore = new Semaphore(2);
  const entered: Permit[] = [];
  for (let i = 0; i < 4; i++) void semaphore.acquire().then((permit) => entered.push(permit));
  await settled();
  expect(entered).toHaveLength(2);
  entered[0]?.release();
  entered[0]?.release(); // A second call does nothing.
  await settled();
  expect(entered).toHaveLength(3);
  entered[1]?.release();
  await settled();
  expect(entered).toHaveLength(4);
});

test('an aborted waiter holds no permit', async () => {
  const semaphore = new Semaphore(1);
  const held = await semaphore.acquire();
  const abort = new AbortController();
  const aborted = semaphore.acquire({ signal: abort.signal });
  const next = semaphore.acquire();
  abort.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  held.release();
  await next;
  const late = semaphore.acquire({ signal: AbortSignal.abort(new Error('too late')) });
  await expect(late).rejects.toThrow('too late');
});

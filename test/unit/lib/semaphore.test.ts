import { expect, test } from 'vitest';
import { Semaphore } from '../../../src/lib/semaphore.ts';

/** Lets every promise that can settle settle. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('no more than its count are in, and the next enters in the order of arrival', async () => {
  const slots = new Semaphore(2);
  const entered: number[] = [];
  for (const number of [1, 2, 3, 4]) void slots.take().then(() => entered.push(number));
  await settled();
  expect(entered).toEqual([1, 2]);
  slots.give();
  await settled();
  expect(entered).toEqual([1, 2, 3]);
  slots.give();
  await settled();
  expect(entered).toEqual([1, 2, 3, 4]);
});

test('who gives up waiting takes no slot', async () => {
  const slots = new Semaphore(1);
  await slots.take();
  const impatient = new AbortController();
  const waiting = slots.take(impatient.signal);
  const behind = slots.take();
  impatient.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  slots.give();
  await behind;
  await expect(slots.take(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
});

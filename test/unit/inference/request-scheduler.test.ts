import { expect, test } from 'vitest';
import type { LoadedModel, Tensor } from '../../../src/inference/engine.ts';
import { RequestScheduler } from '../../../src/inference/request-scheduler.ts';

const tensor: Tensor = { data: new Float32Array(3), shape: [1, 3, 1, 1] };

/** A scheduler over a model that returns its input; `order` records the streams as they are served. */
function scheduler(model: Partial<LoadedModel> = {}, batch = 1) {
  const order: number[] = [];
  const loaded: LoadedModel = {
    run: ({ data, shape }) => Promise.resolve([{ name: 'out', data, shape }]),
    dispose: () => Promise.resolve(),
    ...model,
  };
  const scheduled = new RequestScheduler(loaded, { batch, waitMs: 1, streamCount: () => 2 });
  const request = (id: number, weight = 1, cost = 1): Promise<void> =>
    new Promise((resolve, reject) => {
      scheduled.add({
        ...{ stream: { id, weight }, cost, tensor, reject },
        runAlone: async () => {
          await loaded.run(tensor);
        },
        resolve: () => undefined,
        onServed: () => {
          order.push(id);
          resolve();
        },
      });
    });
  return { scheduled, request, order };
}

test('streams are served by weight', async () => {
  const { request, order } = scheduler();
  await Promise.all([1, 1, 1, 2, 2, 2].map((id) => request(id, id === 2 ? 2 : 1)));
  expect(order).toEqual([1, 2, 2, 1, 2, 1]);
});

test('waiting requests are run as one batch', async () => {
  const sizes: number[] = [];
  const run: LoadedModel['run'] = ({ data, shape }) => {
    sizes.push(shape[0]);
    return Promise.resolve([{ name: 'out', data, shape }]);
  };
  const { request } = scheduler({ run, maxBatch: 8 }, 8);
  await Promise.all([request(1), request(2)]);
  expect(sizes).toEqual([2]);
});

test('one failing request in a batch does not fail the others', async () => {
  let runs = 0;
  const run: LoadedModel['run'] = ({ data, shape }) => {
    runs++;
    // The batch fails, and then the first request on its own.
    if (runs <= 2) return Promise.reject(new Error('bad input'));
    return Promise.resolve([{ name: 'out', data, shape }]);
  };
  const { request, order } = scheduler({ run, maxBatch: 2 }, 2);
  const results = await Promise.allSettled([request(1), request(2)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(order).toEqual([2]);
});

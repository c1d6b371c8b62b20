import { describe, expect, it, onTestFinished } from 'vitest';
import { EngineError } from '../../../src/domain/errors.ts';
import type { Engine, LoadedModel, Tensor } from '../../../src/inference/engine.ts';
import { onlyImage } from '../../../src/inference/only-image.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { SharedEngines } from '../../../src/inference/shared-engines.ts';
import type { StreamShare } from '../../../src/inference/stream-shares.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { tinySrvgg } from '../../helpers/tiny-models.ts';

/** The real engine on the CPU, which records the size of each batch and has memory for `fits` images. */
function watchedEngine(maxBatch: number, fits = Infinity) {
  const real = createOnnxEngine('cpu');
  const seen = { batches: [] as number[], loads: 0, disposals: 0 };
  const engine: Engine = {
    ...real,
    async load(onnx, options): Promise<LoadedModel> {
      seen.loads++;
      const model = await real.load(onnx, options);
      return {
        maxBatch,
        run: (tensor) => {
          seen.batches.push(tensor.shape[0]);
          if (tensor.shape[0] > fits)
            return Promise.reject(
              new EngineError('OUT_OF_MEMORY', `No memory for ${tensor.shape[0]} images.`),
            );
          return model.run(tensor);
        },
        dispose: () => {
          seen.disposals++;
          return model.dispose();
        },
      };
    },
  };
  return { engine, seen };
}

function share(engine: Engine, batch = 8, waitMs = 6) {
  return new SharedEngines([engine], () => ({ batch, waitMs, now: () => performance.now() }));
}

const MODEL = tinySrvgg();

async function streamOf(
  shared: SharedEngines,
  id: number,
  weight = 1,
  onShare?: (share: StreamShare) => void,
) {
  const [engine] = shared.forStream({ id, weight }, onShare);
  if (engine === undefined) throw new TypeError('There is no engine.');
  const model = await engine.load(MODEL, { threads: 1 });
  onTestFinished(() => model.dispose());
  return model;
}

function image(seed: number, edge = 24): Tensor {
  const random = seededRandom(seed);
  return { data: Float32Array.from({ length: 3 * edge * edge }, random), shape: [1, 3, edge, edge] };
}

describe('a model that several streams share', () => {
  it('is loaded once, and disposed when its last user disposes it', async () => {
    const { engine, seen } = watchedEngine(8);
    const shared = share(engine);
    const [a, b] = [await streamOf(shared, 1), await streamOf(shared, 2)];
    await a.dispose();
    await a.dispose();
    expect(seen).toMatchObject({ loads: 1, disposals: 0 });
    await b.dispose();
    expect(seen).toMatchObject({ loads: 1, disposals: 1 });
    await streamOf(shared, 3);
    expect(seen.loads).toBe(2);
  });

  it('runs images of the same shape as one batch, with the same results as alone', async () => {
    const { engine, seen } = watchedEngine(8);
    const shared = share(engine);
    const streams = await Promise.all([1, 2, 3, 4].map((id) => streamOf(shared, id)));
    const alone = await createOnnxEngine('cpu').load(MODEL, { threads: 1 });
    onTestFinished(() => alone.dispose());
    const results = await Promise.all(streams.map((stream, i) => stream.run(image(i))));
    expect(seen.batches).toEqual([4]);
    for (const [i, result] of results.entries()) {
      const expected = onlyImage(await alone.run(image(i)));
      expect(onlyImage(result).shape).toEqual(expected.shape);
      expect(Math.max(...onlyImage(result).data.map((v, k) => Math.abs(v - (expected.data[k] ?? NaN))))).toBe(
        0,
      );
    }
  });

  it('does not batch different shapes or exceed the batch size', async () => {
    const { engine, seen } = watchedEngine(8);
    const shared = share(engine, 2);
    const streams = await Promise.all([1, 2, 3, 4].map((id) => streamOf(shared, id)));
    await Promise.all(streams.map((stream, i) => stream.run(image(i, i === 0 ? 16 : 24))));
    expect(seen.batches.toSorted()).toEqual([1, 1, 2]);
  });

  it('waits no longer than the given time for a full batch', async () => {
    const { engine, seen } = watchedEngine(8);
    const shared = share(engine, 8, 6);
    const [a] = [await streamOf(shared, 1), await streamOf(shared, 2)];
    await a.run(image(0));
    const before = performance.now();
    for (let i = 0; i < 10; i++) await a.run(image(i));
    const eachMs = (performance.now() - before) / 10;
    expect(seen.batches).toEqual(Array(11).fill(1));
    expect(eachMs).toBeLessThan(60); // 6 ms of waiting, the run, and what a loaded machine adds.
  });

  it('shrinks batches by a factor of 0.7 when memory runs out, repeats the images, and keeps the size that worked', async () => {
    const { engine, seen } = watchedEngine(8, 3);
    const shared = share(engine);
    const ids = [1, 2, 3, 4, 5, 6, 7, 8];
    const streams = await Promise.all(ids.map((id) => streamOf(shared, id)));
    const round = () => Promise.all(streams.map((stream, i) => stream.run(image(i))));
    expect((await round()).map((outputs) => onlyImage(outputs).shape)).toEqual(ids.map(() => [1, 3, 96, 96]));
    expect(seen.batches).toEqual([8, 5, 3, 2, 3]);
    seen.batches.length = 0;
    await round();
    expect(seen.batches.every((size) => size <= 3)).toBe(true);
    expect(seen.batches.reduce((sum, size) => sum + size, 0)).toBe(8);
  });

  it('shares the work by weight and starves no stream', async () => {
    const { engine } = watchedEngine(1);
    const shared = share(engine);
    const shares = new Map<number, StreamShare>();
    const weights = new Map([
      [1, 1],
      [2, 1],
      [3, 2],
    ]);
    const streams = await Promise.all(
      [...weights].map(async ([id, weight]) => ({
        id,
        model: await streamOf(shared, id, weight, (its) => shares.set(id, its)),
      })),
    );
    let isOver = false;
    let served = 0;
    let longestGap = 0;
    const work = streams.map(async ({ id, model }) => {
      while (!isOver) {
        const servedBefore = served;
        // Two under way, so that there is always one that waits.
        await Promise.all([model.run(image(id)), model.run(image(id + 10))]);
        longestGap = Math.max(longestGap, served - servedBefore);
        served += 2;
        if (served >= 400) isOver = true;
      }
      await model.dispose();
    });
    await Promise.all(work);
    const requests = (id: number): number => shares.get(id)?.requests ?? 0;
    expect(requests(1) / requests(2)).toBeCloseTo(1, 1);
    expect(requests(3) / requests(1)).toBeGreaterThan(1.4);
    // Number of images of other streams between two images of one stream.
    expect(longestGap).toBeLessThanOrEqual(12);
  });

  it('does not fail other streams when one fails', async () => {
    const { engine } = watchedEngine(8);
    const shared = share(engine);
    const [a, b] = [await streamOf(shared, 1), await streamOf(shared, 2)];
    const wrong: Tensor = { data: new Float32Array(2 * 24 * 24), shape: [1, 2, 24, 24] };
    const [failed, other] = await Promise.allSettled([a.run(wrong), b.run(image(1))]);
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'ENGINE_FAILED' } });
    expect(other.status).toBe('fulfilled');
  });
});

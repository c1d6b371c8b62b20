import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { homeAt } from '../../../src/config/home.ts';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { SpeedMeter, type SpeedMeterOptions } from '../../../src/daemon/speed-meter.ts';
import type { Recipe } from '../../../src/domain/recipe.ts';
import type { Measurement } from '../../../src/trial/measure-entry.ts';
import type { startMeasurement } from '../../../src/trial/run-measurement.ts';
import { makeFolder } from '../../../src/lib/make-folder.ts';
import { repeatingModel } from '../../helpers/tiny-models.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const LANCZOS: Recipe = { ...PIPELINE_DEFAULTS.upscale, model: 'lanczos' };
const GPU_SPEED = { engine: 'cuda', device: 'gpu', scale: 2, msPerPixel: 1, loadMs: 1, memoryBytes: 1 };
const CORE = { msPerProduct: 1, msPerEncodedPixel: 1, cores: 2 };

/** A recipe with a model of the user. */
function ownModel(root: string): Recipe {
  const model = join(root, 'mine.onnx');
  writeFileSync(model, repeatingModel(2));
  return { ...LANCZOS, model };
}

/** A meter whose measurements end when the test says so. */
function createMeter(change: Partial<SpeedMeterOptions> = {}, root = temporaryFolder()) {
  const home = homeAt(root);
  makeFolder(home.stateDir);
  const started: { request: Measurement; finish: (result: unknown) => void }[] = [];
  const measure = ((request: Measurement) => {
    let finish: (result: unknown) => void = () => undefined;
    const result = new Promise<unknown>((resolve) => (finish = resolve));
    started.push({ request, finish });
    const end = () => {
      finish(null);
      return Promise.resolve();
    };
    return { result, end };
  }) as typeof startMeasurement;
  const clock = { ms: 0 };
  const meter = new SpeedMeter({
    ...{ home, settings: () => SAFE_DEFAULTS, log: silentLogger, now: () => clock.ms },
    measure,
    ...change,
  });
  return { meter, started, clock, home, root };
}

test('ten thousand jobs with one recipe are measured once, and the result is kept for the next start', async () => {
  const { meter, started, root } = createMeter();
  const all = Array.from({ length: 10_000 }, () => meter.ready(LANCZOS));
  await expect.poll(() => started.length).toBe(1);
  started[0]?.finish(CORE);
  await Promise.all(all);
  expect(started.map(({ request }) => request.kind)).toEqual(['core']);
  expect((await meter.speeds()).core).toMatchObject(CORE);

  const next = createMeter({}, root);
  await next.meter.ready(LANCZOS);
  expect(next.started).toEqual([]);
  expect((await next.meter.speeds()).core).toMatchObject(CORE);
});

test('another program or driver makes a new measurement', async () => {
  const { meter, started, home, root } = createMeter();
  const ready = meter.ready(LANCZOS);
  await expect.poll(() => started.length).toBe(1);
  started[0]?.finish(CORE);
  await ready;
  writeFileSync(home.probeFile, JSON.stringify({ identity: 'another driver', facts: {} }));
  const next = createMeter({}, root);
  expect((await next.meter.speeds()).core).toBeNull();
});

test('jobs wait while something is measured, but not for longer than half a minute', async () => {
  const { meter, started, clock } = createMeter();
  expect(meter.mustWait).toBe(false);
  const ready = meter.ready(LANCZOS);
  await expect.poll(() => started.length).toBe(1);
  expect(meter.mustWait).toBe(true);
  clock.ms = 29_999;
  expect(meter.mustWait).toBe(true);
  clock.ms = 30_000;
  expect(meter.mustWait).toBe(false);
  started[0]?.finish(null);
  await ready;
});

test('a measurement that fails is not repeated, and never rejects', async () => {
  const { meter, started } = createMeter();
  const ready = meter.ready(LANCZOS);
  await expect.poll(() => started.length).toBe(1);
  started[0]?.finish(null);
  await ready;
  await meter.ready(LANCZOS);
  await meter.ready({ ...LANCZOS, model: join('/nowhere', 'mine.onnx') });
  expect(started).toHaveLength(1);
});

test('nothing is measured when it is closed or switched off', async () => {
  const { meter, started } = createMeter();
  const ready = meter.ready(LANCZOS);
  await expect.poll(() => started.length).toBe(1);
  await meter.close();
  await ready;
  await meter.ready({ ...LANCZOS, scale: 3 });
  expect(started).toHaveLength(1);

  const off = createMeter({
    settings: () => ({ ...SAFE_DEFAULTS, estimate: { ...SAFE_DEFAULTS.estimate, measure: false } }),
  });
  await off.meter.measureInstalled();
  await off.meter.ready(LANCZOS);
  expect(off.started).toEqual([]);
});

test('a measurement that was being prepared when the meter was closed does not start', async () => {
  const { meter, started, root } = createMeter();
  const ready = meter.ready(LANCZOS);
  await expect.poll(() => started.length).toBe(1);
  started[0]?.finish(CORE);
  await ready;

  const closed: Promise<void>[] = [];
  const next = createMeter(
    {
      mayMeasure: () => {
        // While the model is being read.
        queueMicrotask(() => closed.push(next.meter.close()));
        return true;
      },
    },
    root,
  );
  await next.meter.ready(ownModel(root));
  await Promise.all(closed);
  expect(closed).toHaveLength(1);
  expect(next.started).toEqual([]);
});

test('what may not be measured is skipped at once, and measured later', async () => {
  const state = { mayMeasure: false };
  const { meter, started } = createMeter({ mayMeasure: () => state.mayMeasure });
  await meter.ready(LANCZOS);
  expect(meter.mustWait).toBe(false);
  meter.retrySkipped();
  await meter.ready(LANCZOS);
  expect(started).toEqual([]);

  state.mayMeasure = true;
  meter.retrySkipped();
  expect(meter.mustWait).toBe(true);
  await expect.poll(() => started.length).toBe(1);
  await meter.close();

  const asked = createMeter({ mayMeasure: () => state.mayMeasure });
  state.mayMeasure = false;
  await asked.meter.ready(LANCZOS);
  state.mayMeasure = true;
  const ready = asked.meter.ready(LANCZOS);
  await expect.poll(() => asked.started.length).toBe(1);
  asked.started[0]?.finish(CORE);
  await ready;
  expect((await asked.meter.speeds()).core).toMatchObject(CORE);
});

test('the speed of a GPU that a job used meanwhile is not kept', async () => {
  const state = { mayMeasure: true };
  const { meter, started, root } = createMeter({ mayMeasure: () => state.mayMeasure });
  const recipe = ownModel(root);
  const measured = async (isDisturbed: boolean) => {
    const before = started.length;
    state.mayMeasure = true;
    const ready = meter.ready(recipe);
    await expect.poll(() => started.length).toBe(before + 1);
    state.mayMeasure = !isDisturbed;
    started[before]?.finish(GPU_SPEED);
    await ready;
    return Object.values((await meter.speeds()).models);
  };
  const core = meter.ready(LANCZOS);
  await expect.poll(() => started.length).toBe(1);
  started[0]?.finish(CORE);
  await core;
  expect(await measured(true)).toEqual([]);
  expect(await measured(false)).toEqual([GPU_SPEED]);
});

test('a measurement whose model could not be read is repeated', async () => {
  const { meter, started, root } = createMeter();
  const recipe = ownModel(root);
  const good = readFileSync(recipe.model);
  // With the same size and time, so that it counts as the same file.
  const write = (bytes: Uint8Array): void => {
    writeFileSync(recipe.model, bytes);
    utimesSync(recipe.model, 1e9, 1e9);
  };
  write(good.map((byte) => 255 - byte));
  const damaged = meter.ready(recipe);
  await expect.poll(() => started.length).toBe(1);
  started[0]?.finish(CORE);
  await damaged;
  expect(started).toHaveLength(1);

  write(good);
  const ready = meter.ready(recipe);
  await expect.poll(() => started.length).toBe(2);
  started[1]?.finish(GPU_SPEED);
  await ready;
  expect(Object.values((await meter.speeds()).models)).toEqual([GPU_SPEED]);
});

test('the cores are measured again with other settings of the encoder', async () => {
  const { encoder } = SAFE_DEFAULTS;
  const state = { settings: SAFE_DEFAULTS };
  let count = 0;
  const { meter, started, root } = createMeter({ settings: () => state.settings });
  const measure = async (change: Partial<typeof encoder>) => {
    state.settings = { ...SAFE_DEFAULTS, encoder: { ...encoder, ...change } };
    const ready = meter.ready(LANCZOS);
    await expect.poll(() => started.length, { timeout: 2000 }).toBe(count + 1);
    started[count++]?.finish(CORE);
    await ready;
  };
  await measure({});
  await measure({ preset: 'slow' });
  await measure({ preset: 'slow', crf: 30 });
  expect(started.map(({ request }) => request)).toMatchObject([
    { preset: encoder.preset, crf: encoder.crf },
    { preset: 'slow', crf: encoder.crf },
    { preset: 'slow', crf: 30 },
  ]);

  const next = createMeter({}, root);
  const again = next.meter.ready(LANCZOS);
  await expect.poll(() => next.started.length).toBe(1);
  next.started[0]?.finish(CORE);
  await again;
});

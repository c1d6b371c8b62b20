import { writeFileSync } from 'node:fs';
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
import { silentLogger } from '../../helpers/silent-logger.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const LANCZOS: Recipe = { ...PIPELINE_DEFAULTS.upscale, model: 'lanczos' };
const CORE = { msPerProduct: 1, msPerEncodedPixel: 1, cores: 2 };

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
  expect((await meter.speeds()).core).toEqual(CORE);

  const next = createMeter({}, root);
  await next.meter.ready(LANCZOS);
  expect(next.started).toEqual([]);
  expect((await next.meter.speeds()).core).toEqual(CORE);
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

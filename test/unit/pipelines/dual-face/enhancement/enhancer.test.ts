import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../../../src/config/recipe-presets.ts';
import { EngineError } from '../../../../../src/domain/errors.ts';
import type { ModelFile } from '../../../../../src/domain/models.ts';
import type { Engine } from '../../../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../../../src/inference/onnx-engine.ts';
import { seededRandom } from '../../../../../src/lib/seeded-random.ts';
import { Screen } from '../../../../../src/pipelines/dual-face/composition/screen.ts';
import { chooseEnhancement } from '../../../../../src/pipelines/dual-face/enhancement/choose-enhancement.ts';
import { OptionalEnhancer } from '../../../../../src/pipelines/dual-face/enhancement/optional-enhancer.ts';
import { engineWithRoomFor } from '../../../../helpers/engine-with-room.ts';
import type { ScreenViews } from '../../../../../src/pipelines/dual-face/composition/screen-views.ts';
import { temporaryFolder } from '../../../../helpers/temporary-folder.ts';
import { tinySrvgg } from '../../../../helpers/tiny-models.ts';

const from = { width: 96, height: 64, pixelFormat: 'rgb24' } as const;
const sizes = { from, to: { ...from, width: 192, height: 128 }, pixelAspect: 1 };
const { signal } = new AbortController();
const random = seededRandom(3);
const frame = {
  number: 0,
  pixels: Buffer.from(Uint8Array.from({ length: 96 * 64 * 3 }, () => random() * 256)),
};

const screen = new Screen(sizes, {});
const ENLARGED: ScreenViews = {
  ...{ layout: 'side-by-side', panes: [{ centerX: 30.3, centerY: 31, height: 21 }, null], whole: 0 },
};

function enhancerWith(engine: Engine, enhance = 'auto', installed = true): OptionalEnhancer {
  const path = join(temporaryFolder(), 'tiny.onnx');
  const file = tinySrvgg();
  writeFileSync(path, file);
  const sha256 = createHash('sha256').update(file).digest('hex');
  const model: ModelFile = {
    ...{ name: 'tiny', path, sha256, bytes: file.length, licence: null },
    ...{ architecture: 'srvgg', overlap: 2 },
  };
  const enhancer = new OptionalEnhancer(
    {
      ...{ model: null, embedding: null, enhancer: installed ? model : null, tile: null, threads: 1 },
      ...{ engines: [engine], onInferred: () => undefined, onStepDown: () => undefined },
    },
    { ...PIPELINE_DEFAULTS['dual-face'], device: 'cpu', enhance },
    sizes,
  );
  onTestFinished(() => enhancer.close());
  return enhancer;
}

/** The largest difference of two images. */
function difference(a: Buffer, b: Buffer): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? NaN))), 0);
}

test('a close-up does not depend on where its window lies', async () => {
  const enhancer = enhancerWith(createOnnxEngine('cpu'));
  const opened = await enhancer.open();
  const whole = await opened.enhance(
    frame.pixels,
    {
      place: 0,
      pane: { x: 0, y: 0, width: 96, height: 128 },
      view: { centerX: 48, centerY: 32, height: 200 },
    },
    signal,
  );
  expect(whole.window).toEqual({ x: 0, y: 0, width: 96, height: 64 });
  for (let i = 0; i < 12; i++) {
    const view = { centerX: 10 + 5.37 * i, centerY: 20 + 1.9 * i, height: 14 + 0.7 * i };
    const views = { layout: 'side-by-side', panes: [view, null], whole: 0 } as const;
    const closeUps = await enhancer.closeUps(frame, screen.shown(views), 1, signal);
    expect(closeUps.get(0)?.window.width).toBeLessThan(96);
    const wanted = screen.draw(frame, views, new Map([[0, whole]])).pixels;
    expect(difference(screen.draw(frame, views, closeUps).pixels, wanted)).toBeLessThanOrEqual(1);
    expect(difference(screen.draw(frame, views).pixels, wanted)).toBeGreaterThan(5);
  }
});

test('windows of a moving camera have few sizes', async () => {
  const opened = await enhancerWith(createOnnxEngine('cpu')).open();
  const sizesSeen = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const view = { centerX: 30 + 0.31 * i, centerY: 32, height: 20 + 0.05 * i };
    const [shown] = screen.shown({ layout: 'side-by-side', panes: [view, null], whole: 0 });
    if (shown === undefined) throw new Error('The pane is empty.');
    const { width, height } = opened.windowOf(shown);
    sizesSeen.add(`${width}x${height}`);
  }
  expect(sizesSeen.size).toBeLessThanOrEqual(4);
});

const LARGER = { ...ENLARGED, panes: [{ centerX: 40, centerY: 32, height: 50 }, null] };

test('tiles get smaller when memory runs out, and the pixels stay the same', async () => {
  const draw = async (enhancer: OptionalEnhancer): Promise<Buffer> =>
    screen.draw(frame, LARGER, await enhancer.closeUps(frame, screen.shown(LARGER), 1, signal)).pixels;
  const wanted = await draw(enhancerWith(createOnnxEngine('cpu')));
  const { engine } = engineWithRoomFor(1300);
  const cramped = enhancerWith(engine);
  expect(difference(await draw(cramped), wanted)).toBeLessThanOrEqual(1);
  expect(cramped.reducedTile).toMatchObject({ device: 'cpu' });
});

const BROKEN: Engine = {
  ...createOnnxEngine('cpu'),
  load: () => Promise.reject(new EngineError('ENGINE_UNAVAILABLE', 'the driver is too old')),
};
const VIDEO = { views: [ENLARGED, ENLARGED], shots: [{ from: 0, to: 2 }] as never };

test.each([
  [
    'where the model is fast enough',
    createOnnxEngine('cpu'),
    'auto',
    1e-6,
    [1, 1],
    /^close-ups enhanced in 2 frames by tiny with/,
  ],
  [
    'not where it is too slow',
    createOnnxEngine('cpu'),
    'auto',
    1e9,
    [0, 0],
    /tiny would take \d+ times the length .* set enhance to tiny$/,
  ],
  [
    'wherever the recipe names the model',
    createOnnxEngine('cpu'),
    'tiny',
    1e9,
    [1, 1],
    /^close-ups enhanced in 2 frames by tiny/,
  ],
  [
    'not where no engine can run it',
    BROKEN,
    'auto',
    1,
    [0, 0],
    /^close-ups not enhanced: No engine can run .*the driver is too old/,
  ],
])('close-ups are enhanced: %s', async (_, engine, enhance, framesPerSecond, places, clause) => {
  const enhancer = enhancerWith(engine, enhance);
  const recipe = { ...PIPELINE_DEFAULTS['dual-face'], enhance };
  const chosen = await chooseEnhancement(VIDEO, { recipe, framesPerSecond, screen, enhancer }, signal);
  expect(chosen.places).toEqual(places);
  expect(chosen.clause).toMatch(clause);
});

test('a model that is too slow leaves memory at once', async () => {
  const real = createOnnxEngine('cpu');
  let loaded = 0;
  const engine: Engine = {
    ...real,
    async load(onnx, options) {
      const model = await real.load(onnx, options);
      loaded++;
      const dispose = (): Promise<void> => {
        loaded--;
        return model.dispose();
      };
      return { run: (input) => model.run(input), dispose };
    },
  };
  const enhancer = enhancerWith(engine);
  const recipe = PIPELINE_DEFAULTS['dual-face'];
  const options = { recipe, framesPerSecond: 1e9, screen, enhancer };
  expect((await chooseEnhancement(VIDEO, options, signal)).places).toEqual([0, 0]);
  expect(loaded).toBe(0);
  await enhancer.close();
  expect(loaded).toBe(0);
});

test('a model that the recipe names must run', async () => {
  const enhancer = enhancerWith(BROKEN, 'tiny');
  const recipe = { ...PIPELINE_DEFAULTS['dual-face'], enhance: 'tiny' };
  await expect(
    chooseEnhancement(VIDEO, { recipe, framesPerSecond: 1, screen, enhancer }, signal),
  ).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
});

test('no model is loaded where nothing is enlarged enough, or none is installed', async () => {
  const options = { recipe: PIPELINE_DEFAULTS['dual-face'], framesPerSecond: 1, screen };
  const large = { ...ENLARGED, panes: [{ centerX: 40, centerY: 32, height: 100 }, null] };
  const nothing = { ...VIDEO, views: [large, large] };
  const enhancer = enhancerWith(BROKEN);
  expect((await chooseEnhancement(nothing, { ...options, enhancer }, signal)).clause).toBeNull();
  const without = enhancerWith(BROKEN, 'auto', false);
  expect(await chooseEnhancement(VIDEO, { ...options, enhancer: without }, signal)).toEqual({
    ...{ places: [0, 0], clause: null },
  });
});

import { expect, test } from 'vitest';
import { EngineError, StoppedError } from '../../../../src/domain/errors.ts';
import type { FrameFormat } from '../../../../src/domain/media-info.ts';
import type { Engine, FrameToUpscale, LoadedModel } from '../../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../../src/inference/onnx-engine.ts';
import { upscaleFrame } from '../../../../src/pipelines/upscale/upscale-frame.ts';
import { resample } from '../../../../src/pipelines/upscale/resample.ts';
import { shrink } from '../../../../src/pipelines/upscale/shrink.ts';
import { largestDifference } from '../../../helpers/images.ts';
import { repeatingModel } from '../../../helpers/tiny-models.ts';
import { upscaledFormats } from '../../../../src/pipelines/upscale/upscaled-format.ts';
import { framesOf, sourceOf } from '../../../helpers/upscale-source.ts';
import { HEIGHT, noise, openPipeline, outputs, WIDTH, type Request } from './model-pipeline-fixture.ts';

async function output(request: Request, pixels: Buffer): Promise<Buffer> {
  const [frame] = await outputs(await openPipeline(request), framesOf(pixels));
  return frame ?? Buffer.alloc(0);
}

test('tiles with the model’s overlap give the same result as the whole frame', async () => {
  const pixels = noise(1);
  for (const scale of [4, 2]) {
    const whole = await output({ scale }, pixels);
    expect(whole.length).toBe(WIDTH * scale * HEIGHT * scale * 3);
    for (const tile of [8, 16, 33]) {
      expect(largestDifference(await output({ scale, tile }, pixels), whole)).toBeLessThanOrEqual(1);
    }
  }
});

test('a frame that equals the previous one is not inferred again and gets its result', async () => {
  const inferred: number[] = [];
  const pipeline = await openPipeline({ onInferred: (number) => inferred.push(number) });
  const [a, b] = [noise(2), noise(3)];
  const [first, second, third, fourth] = await outputs(pipeline, framesOf(a, Buffer.from(a), b, a));
  expect(inferred).toEqual([0, 2, 3]);
  expect(second?.equals(first ?? a)).toBe(true);
  expect(fourth?.equals(first ?? a)).toBe(true);
  expect(third?.equals(first ?? b)).toBe(false);
});

test('a reopened pipeline gives the same frames', async () => {
  const frames = [noise(4), noise(5), noise(6)];
  const through = await outputs(await openPipeline(), framesOf(...frames));
  const [resumed] = await outputs(await openPipeline(), framesOf(...frames.slice(2)));
  expect(resumed?.equals(through[2] ?? Buffer.alloc(0))).toBe(true);
});

test('other scales are resampled from the model’s own', async () => {
  const flat = Buffer.alloc(WIDTH * HEIGHT * 3, 90);
  const file = repeatingModel(4);
  for (const [scale, width, height] of [
    [1, 46, 34],
    [1.5, 70, 52],
    [2, 92, 68],
    [3, 138, 102],
  ] as const) {
    const pipeline = await openPipeline({ file, scale });
    expect(upscaledFormats(sourceOf(WIDTH, HEIGHT), scale).output).toMatchObject({ width, height });
    const [pixels] = await outputs(pipeline, framesOf(flat));
    expect(pixels?.equals(Buffer.alloc(width * height * 3, 90))).toBe(true);
  }
});

test('sharp shrinks frames only if the plan says so: a job of an older version ends as it began', async () => {
  const [file, pixels] = [repeatingModel(4), noise(7)];
  const [from, to] = [4, 3].map((scale) => upscaledFormats(sourceOf(WIDTH, HEIGHT), scale).output) as [
    FrameFormat,
    FrameFormat,
  ];
  const upscaled = await output({ file }, pixels);
  const [ours, sharps] = [resample(upscaled, from, to), await shrink(upscaled, from, to)];
  expect(ours.equals(sharps)).toBe(false);
  expect((await output({ file, scale: 3 }, pixels)).equals(ours)).toBe(true);
  expect((await output({ file, scale: 3, shrinksWith: 'sharp' }, pixels)).equals(sharps)).toBe(true);
});

test('sources of more than 8 bits keep 16, and odd output sizes become even', async () => {
  const source = sourceOf(5, 3, 10);
  const pipeline = await openPipeline({ file: repeatingModel(1), scale: 1, source });
  expect(upscaledFormats(source, 1)).toEqual({
    input: { width: 5, height: 3, pixelFormat: 'rgb48le' },
    output: { width: 6, height: 4, pixelFormat: 'rgb48le' },
    outputAspect: { num: 1, den: 1 },
  });
  const [pixels] = await outputs(pipeline, framesOf(Buffer.from(new Uint16Array(45).fill(40_001).buffer)));
  expect(pixels?.equals(Buffer.from(new Uint16Array(72).fill(40_001).buffer))).toBe(true);
});

/** The real engine, which runs out of memory above `edge` pixels along the longer edge of a run. */
function engineWithRoomFor(edge: number, edges: number[]): Engine {
  const engine = createOnnxEngine('cpu');
  return {
    ...engine,
    async load(onnx, options) {
      const model = await engine.load(onnx, options);
      return {
        dispose: () => model.dispose(),
        async run(input) {
          const longer = Math.max(input.shape[2], input.shape[3]);
          edges.push(longer);
          if (longer > edge) throw new EngineError('OUT_OF_MEMORY', `${longer} is too much`);
          return model.run(input);
        },
      };
    },
  };
}

test('running out of memory shrinks the tiles and repeats the frame', async () => {
  const pixels = noise(7);
  const edges: number[] = [];
  const pipeline = await openPipeline({ engines: [engineWithRoomFor(40, edges)] });
  const [tiled] = await outputs(pipeline, framesOf(pixels));
  expect(largestDifference(tiled ?? [], await output({}, pixels))).toBeLessThanOrEqual(1);
  const trials = edges.length;
  await outputs(pipeline, framesOf(noise(8)));
  expect(Math.max(...edges.slice(trials))).toBeLessThanOrEqual(40);
  expect(pipeline.reducedTile).toEqual({ device: 'cpu', tile: 32 });
});

/**
 * A GPU engine as ours is: whole frames, three at once, the later ones done first. `fail` says what becomes of the
 * run with that number.
 */
function engineOfWholeFrames(fail: (run: number) => EngineError | null = () => null): Engine {
  const engine = createOnnxEngine('cpu');
  let runs = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    name: 'a GPU',
    device: 'gpu',
    async load(onnx, options) {
      const model = await engine.load(onnx, options);
      return {
        concurrency: 3,
        run: (input) => model.run(input),
        dispose: () => model.dispose(),
        upscale(frame) {
          const { pixels, width, height } = frame;
          if (width !== WIDTH) return upscaledTrialFrame(model, frame);
          const error = fail(runs++);
          if (error !== null) return Promise.reject(error);
          const waited = last;
          const result = (async () => {
            if (runs % 3 !== 0) await new Promise((resolve) => setImmediate(resolve));
            else await waited;
            return nearest4x(pixels, width, height);
          })();
          last = result;
          return result;
        },
      };
    },
  };
}

/** The frames by which the engine is tried have other sizes than those of the job; they are upscaled with the model. */
async function upscaledTrialFrame(model: LoadedModel, frame: FrameToUpscale): Promise<Buffer> {
  const pixelFormat = frame.bytesPerComponent === 1 ? 'rgb24' : 'rgb48le';
  const format = { width: frame.width, height: frame.height, pixelFormat } as const;
  const whole = { ...frame, pixels: Buffer.from(frame.pixels), format };
  return (await upscaleFrame(model, 4, whole, new AbortController().signal)).pixels;
}

function nearest4x(pixels: Uint8Array, width: number, height: number): Buffer {
  const upscaled = Buffer.alloc(pixels.length * 16);
  for (let y = 0; y < height * 4; y++) {
    for (let x = 0; x < width * 4; x++) {
      const from = ((y >> 2) * width + (x >> 2)) * 3;
      upscaled.set(pixels.subarray(from, from + 3), (y * width * 4 + x) * 3);
    }
  }
  return upscaled;
}

test('an engine for whole frames gets several at once, and the results stay in order', async () => {
  const sources = [11, 12, 12, 13, 14, 15, 15].map((seed) => noise(seed));
  const inferred: number[] = [];
  const onInferred = (number: number) => inferred.push(number);
  const pipeline = await openPipeline({ engines: [engineOfWholeFrames()], recipeDevice: 'gpu', onInferred });
  const found = await outputs(pipeline, framesOf(...sources));
  expect(
    found.map((pixels, i) => pixels.equals(nearest4x(sources[i] ?? Buffer.of(), WIDTH, HEIGHT))),
  ).toEqual(sources.map(() => true));
  expect(inferred.toSorted((a, b) => a - b)).toEqual([0, 1, 3, 4, 5]);
});

test.for(['DEVICE_LOST', 'OUT_OF_MEMORY'] as const)(
  'after %s during a job, the next engine repeats the frame, which is reported once',
  async (code) => {
    const sources = [21, 22, 23, 24, 25].map((seed) => noise(seed));
    const said: string[] = [];
    const gpu = engineOfWholeFrames((run) => (run < 2 ? null : new EngineError(code, 'The GPU is gone.')));
    const engines = [gpu, createOnnxEngine('cpu')];
    const onStepDown = (reason: string) => said.push(reason);
    const pipeline = await openPipeline({ engines, recipeDevice: 'gpu', onStepDown });
    const found = await outputs(pipeline, framesOf(...sources));
    expect(said).toEqual(['The GPU is gone; continuing with onnxruntime on the CPU']);
    for (const [i, pixels] of found.entries()) {
      const source = sources[i] ?? Buffer.of();
      const wanted = i < 2 ? nearest4x(source, WIDTH, HEIGHT) : await output({}, source);
      expect(pixels.equals(wanted)).toBe(true);
    }
  },
);

test('losing the last engine ends the attempt', async () => {
  const gpu = engineOfWholeFrames(() => new EngineError('DEVICE_LOST', 'The GPU is gone.'));
  const pipeline = await openPipeline({ engines: [gpu], recipeDevice: 'gpu' });
  await expect(outputs(pipeline, framesOf(noise(31), noise(32)))).rejects.toMatchObject({
    code: 'DEVICE_LOST',
  });
});

test('the last engine shrinks tiles to the smallest size before it fails', async () => {
  const edges: number[] = [];
  const source = sourceOf(400, 20);
  const pipeline = await openPipeline({ engines: [engineWithRoomFor(16, edges)], source });
  await expect(outputs(pipeline, framesOf(noise(9, 400 * 20 * 3)))).rejects.toMatchObject({
    code: 'OUT_OF_MEMORY',
  });
  // The trial, then the whole frame and tiles of at most 280, 140, 93, 56, 35 and 32 pixels, evened out over the frame.
  expect(edges).toEqual([16, 400, 202, 138, 84, 54, 38, 35]);
});

test('a stop is noticed between tiles', async () => {
  const stop = new AbortController();
  const engine = createOnnxEngine('cpu');
  let runs = 0;
  const stopping: Engine = {
    ...engine,
    async load(onnx, options) {
      const model = await engine.load(onnx, options);
      return {
        dispose: () => model.dispose(),
        run(input) {
          // The first is the trial.
          if (++runs === 3) stop.abort(new StoppedError('Paused.'));
          return model.run(input);
        },
      };
    },
  };
  const pipeline = await openPipeline({ engines: [stopping], tile: 16 });
  await expect(outputs(pipeline, framesOf(noise(10)), stop.signal)).rejects.toThrow(StoppedError);
  expect(runs).toBe(3);
});

test('the summary names the engine and why no GPU is used', async () => {
  expect((await openPipeline({ scale: 2 })).summary).toBe(
    'tiny with onnxruntime on the CPU, whole frames, downscaling to 2x merged into its last layer',
  );
  expect((await openPipeline({ scale: 3, tile: 32 })).summary).toBe(
    'tiny with onnxruntime on the CPU, tiles of 32 px with 2 px overlap, resampled from 4x to 3x',
  );
});

test('a pipeline may be closed before it is open, and twice', async () => {
  const pipeline = await openPipeline();
  await pipeline.close();
  await pipeline.close();
  await expect(outputs(pipeline, framesOf(noise(11)))).rejects.toThrow('not open');
});

/** The engine that the GPU is compared with must have room for the frames of its trial. */
const WIDEST_TRIAL_FRAME = 150;

test('the tile size of a GPU does not apply to the engine after it', async () => {
  const tiles: (number | null)[] = [];
  const whole = engineOfWholeFrames();
  const gpu: Engine = {
    ...whole,
    load: async (onnx, options) => {
      const model = await whole.load(onnx, options);
      return {
        run: (input) => model.run(input),
        dispose: () => model.dispose(),
        upscale(frame) {
          if (frame.width !== WIDTH && model.upscale !== undefined) return model.upscale(frame);
          tiles.push(frame.tile);
          return Promise.reject(new EngineError('DEVICE_LOST', 'The GPU is gone.'));
        },
      };
    },
  };
  const edges: number[] = [];
  const engines = [gpu, engineWithRoomFor(WIDEST_TRIAL_FRAME, edges)];
  const pipeline = await openPipeline({ engines, recipeDevice: 'gpu', gpuTile: 33, tile: 16 });
  expect(pipeline.summary).toContain('tiles of 33 px');
  await outputs(pipeline, framesOf(noise(51)));
  expect(tiles).toEqual([33]);
  expect(Math.max(...edges.slice(-1))).toBeLessThanOrEqual(16 + 4);
});

test('only an engine of the GPU that takes whole frames gets the tile size of our kernels', async () => {
  const other: Engine = { ...engineWithRoomFor(WIDEST_TRIAL_FRAME, []), device: 'gpu' };
  const sizes = { recipeDevice: 'gpu', gpuTile: 40, otherGpuTile: 33 } as const;
  for (const [engine, tile] of [[engineOfWholeFrames(), 40] as const, [other, 33] as const]) {
    const pipeline = await openPipeline({ ...sizes, engines: [engine] });
    expect(pipeline.summary).toContain(`tiles of ${tile} px`);
  }
});

test('every tile is reported, because a frame may take an hour', async () => {
  let tiles = 0;
  const pipeline = await openPipeline({ tile: 24, onTile: () => tiles++ });
  await outputs(pipeline, framesOf(...[1, 2].map((value) => Buffer.alloc(3 * WIDTH * HEIGHT, value))));
  // Two by two tiles of 46x34 pixels, for each of two frames.
  expect(tiles).toBe(8);
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FrameFormat } from '../../../src/domain/media-info.ts';
import type { ModelFile } from '../../../src/domain/models.ts';
import type { Engine, Tensor } from '../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { findModel } from '../../../src/inference/models/find-model.ts';
import { encodeModel, type OnnxModel } from '../../../src/inference/models/onnx-model.ts';
import { onlyImage } from '../../../src/inference/only-image.ts';
import { checkModel } from '../../../src/trial/check-model.ts';
import { readUpscaler } from '../../../src/inference/models/read-upscaler.ts';
import { Upscaler } from '../../../src/pipelines/upscale/upscaler.ts';
import { psnr } from '../../helpers/images.ts';
import { frameMd5 } from '../../helpers/clips.ts';
import { inProcessWorker } from '../../helpers/in-process-worker.ts';
import * as layouts from '../../helpers/model-layouts.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const FRAME: FrameFormat = { width: 75, height: 53, pixelFormat: 'rgb24' };
const { compact, span, windowAttention, halving, grey, ofSize, inHalf } = layouts;

/** Name, model, scale, and which images it takes. */
const ACCEPTED: readonly [string, OnnxModel, number, string][] = [
  ['Compact', compact(2), 2, 'any'],
  ['SPAN', span(4), 4, 'any'],
  ['windows of 8', windowAttention(2, 8), 2, 'multiples of 8 pixels'],
  ['windows of 16', windowAttention(4, 16), 4, 'multiples of 16 pixels'],
  ['windows of 64', windowAttention(2, 64), 2, 'multiples of 64 pixels'],
  ['a U-Net', halving(2), 2, 'multiples of 2 pixels'],
  ['brightness alone', grey(3), 3, 'any'],
  ['16 bits', inHalf(compact(2)), 2, 'any'],
  ['one size', ofSize(compact(2), 64, 48), 2, '64x48 pixels only'],
  ['windows and one size', ofSize(windowAttention(2, 8), 40, 32), 2, '40x32 pixels only'],
];

const engine = createOnnxEngine('cpu');

async function found(model: OnnxModel): Promise<ModelFile> {
  const path = join(temporaryFolder(), 'mine.onnx');
  writeFileSync(path, encodeModel(model));
  return findModel(path, [], { models: [] });
}

async function open(
  model: ModelFile,
  input = FRAME,
  engines: readonly Engine[] = [engine],
): Promise<Upscaler> {
  const upscaler = await Upscaler.open({
    ...{ model: await readUpscaler(model), device: 'cpu', engines, threads: 1, input, findsSizes: true },
    ...{ tile: null, overlap: model.overlap, onStepDown: () => undefined },
  });
  onTestFinished(() => upscaler.close());
  return upscaler;
}

const picture = ({ width, height }: FrameFormat): Buffer =>
  Buffer.from(
    Uint8Array.from({ length: 3 * width * height }, (_, i) => {
      const [colour, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      return 128 + 90 * Math.sin(0.13 * x + colour) * Math.cos(0.09 * y) + ((x >> 3) % 2 ? 20 : 0);
    }),
  );

const upscale = async (upscaler: Upscaler, pixels: Buffer): Promise<Buffer> =>
  (await upscaler.upscale(pixels, new AbortController().signal)).pixels;

/** Pads a frame to this size by mirroring it, runs the model, and crops the result. */
async function byHand(model: OnnxModel, scale: number, width: number, height: number): Promise<Buffer> {
  const frame = picture(FRAME);
  const mirror = (at: number, length: number): number => (at < length ? at : 2 * (length - 1) - at);
  const data = Float32Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y] = [mirror(i % width, FRAME.width), mirror(Math.floor(i / width) % height, FRAME.height)];
    return (frame[3 * (y * FRAME.width + x) + Math.floor(i / width / height)] ?? 0) / 255;
  });
  const loaded = await engine.load(encodeModel(model), { threads: 1 });
  const input: Tensor = { data, shape: [1, 3, height, width] };
  const result = onlyImage(await loaded.run(input));
  await loaded.dispose();
  const [rows, columns] = [FRAME.height * scale, FRAME.width * scale];
  const values = Uint8Array.from({ length: 3 * rows * columns }, (_, i) => {
    const [colour, x, y] = [i % 3, Math.floor(i / 3) % columns, Math.floor(i / 3 / columns)];
    const value = result.data[(colour * height * scale + y) * width * scale + x] ?? 0;
    return Math.round(255 * Math.min(1, Math.max(0, value)));
  });
  return Buffer.from(values);
}

/** Only some, because each is measured for more than a second. */
const MEASURED = ACCEPTED.filter(([name]) =>
  ['windows of 16', 'brightness alone', 'one size'].includes(name),
);

test.each(ACCEPTED)('the scale and the sizes of a model are found out: %s', async (_, onnx, scale, sizes) => {
  const { current } = await open(await found(onnx));
  expect([current.scale, current.model.sizes ?? 'any']).toEqual([scale, sizes]);
});

test.each(MEASURED)('a model is checked and measured: %s', async (_, onnx, scale, sizes) => {
  const model = await found(onnx);
  const trial = await checkModel({ model, device: 'cpu', threads: 1, precision: undefined }, [engine]);
  expect(trial).toMatchObject({ faults: [], sizes, speed: { scale } });
  expect(trial.speed.msPerPixel).toBeGreaterThan(0);
});

test.each([
  ['windows of 8', windowAttention(2, 8), 2, 80, 56],
  ['windows of 64', windowAttention(2, 64), 2, 128, 64],
  ['a U-Net', halving(2), 2, 76, 54],
])(
  'frames are padded to what a model takes, and the result is cropped: %s',
  async (_, onnx, scale, width, height) => {
    const upscaler = await open(await found(onnx));
    const result = await upscale(upscaler, picture(FRAME));
    const expected = await byHand(onnx, scale, width, height);
    expect(result.length).toBe(expected.length);
    expect(psnr(result, expected)).toBeGreaterThan(70);
  },
);

test('a model that takes one size gives in windows what it gives for the whole frame', async () => {
  const whole = await open(await found(compact(2)));
  const windows = await open(await found(ofSize(compact(2), 32, 24)));
  const frame = picture(FRAME);
  // Two convolutions see two pixels, and a quarter of a window overlaps.
  expect(psnr(await upscale(windows, frame), await upscale(whole, frame))).toBeGreaterThan(70);
  const large = await open(await found(ofSize(compact(2), 128, 96)));
  expect((await upscale(large, frame)).length).toBe(3 * 4 * FRAME.width * FRAME.height);
});

test('a model with 16 bits gives what it gives with 32', async () => {
  const [half, full] = [await open(await found(inHalf(span(2)))), await open(await found(span(2)))];
  const frame = picture(FRAME);
  expect(psnr(await upscale(half, frame), await upscale(full, frame))).toBeGreaterThan(50);
});

test('a model for brightness gets the brightness, and grey frames stay grey', async () => {
  const upscaler = await open(await found(grey(2)));
  const pixels = Buffer.from(picture(FRAME).map((value, i, all) => all[i - (i % 3)] ?? value));
  const result = await upscale(upscaler, pixels);
  const differs = result.filter((value, i) => Math.abs(value - (result[i - (i % 3)] ?? 0)) > 1);
  expect(differs).toHaveLength(0);
});

test.each([
  ['four colours', { dims: [1, 4, 0, 0] }, 'it expects 4 channels instead of 3 or 1'],
  ['batches', { dims: [8, 3, 0, 0] }, 'it accepts only batches of 8 images'],
  ['colours last', { dims: [1, 0, 0, 3] }, 'it expects images of the layout [N, H, W, 3]; export it for'],
  ['bytes', { dims: [1, 3, 0, 0], elemType: 2 }, 'it expects uint8 values; export it for float32'],
  ['a fixed width', { dims: [1, 3, 0, 64] }, 'it has a fixed width only; export it with both dynamic'],
])('a model that cannot be used is named with its reason: %s', async (_, input, reason) => {
  const model = layouts.withInput(compact(2), input);
  await expect(found(model)).rejects.toMatchObject({
    code: 'MODEL_UNSUITABLE',
    message: expect.stringContaining(reason) as unknown,
  });
});

test('a model that takes none of the usual sizes is named with what was tried', async () => {
  const model = await found(windowAttention(2, 50));
  await expect(open(model)).rejects.toThrow(
    /it takes none of the 11 sizes that were tried, up to 192x64 pixels \(.*\); export it with dynamic height and width/,
  );
});

test.each(MEASURED)('a job runs with %s', async (_, onnx) => {
  const { home, addJob, runNextJob } = inProcessWorker();
  writeFileSync(join(home.models, 'tiny.onnx'), encodeModel(onnx));
  await addJob('clip.mp4', { frames: 3, width: 70, height: 50 });
  const { job } = await runNextJob(engine);
  expect(job).toMatchObject({ state: 'done', framesDone: 3 });
  expect(frameMd5(join(home.output, 'clip.mp4'))).toHaveLength(3);
});

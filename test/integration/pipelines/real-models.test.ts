import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Tensor } from '../../../src/inference/engine.ts';
import { findModel } from '../../../src/inference/models/find-model.ts';
import { foldScale2 } from '../../../src/inference/models/fold-scale-2.ts';
import { readManifest } from '../../../src/inference/models/manifest.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { onlyImage } from '../../../src/inference/only-image.ts';
import { ModelPipeline } from '../../../src/pipelines/upscale/model-pipeline.ts';
import { readPlanes } from '../../../src/pipelines/upscale/pixels.ts';
import { resample } from '../../../src/pipelines/upscale/resample.ts';
import { averageOfEach2x2, largestDifference, psnr, readImage, type Image } from '../../helpers/images.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { upscaleOne } from '../../helpers/upscale-source.ts';

/*
 * The published weights on real images. Models that were not fetched into models/ are skipped; the figures are
 * printed, and those in docs/decisions/0002-models.md come from here.
 */
const models = resolve(import.meta.dirname, '../../../models');
const manifest = await readManifest(join(models, 'manifest.json'));

function whyNot(model: string): string | null {
  if (whyNoSharedMedia !== null) return whyNoSharedMedia;
  return existsSync(join(models, `${model}.onnx`)) ? null : `models/${model}.onnx is not there`;
}

async function upscale(name: string, image: Image, tile: number | null, scale = 4): Promise<Image> {
  const model = await findModel(name, [models], manifest);
  const pipeline = new ModelPipeline({
    recipe: { pipeline: 'upscale', model: name, scale, device: 'cpu', tile: 'auto' },
    model,
    embedding: null,
    tile,
    threads: 2,
    engines: [createOnnxEngine('cpu')],
    onInferred: () => undefined,
    onStepDown: () => undefined,
  });
  return upscaleOne(pipeline, scale, image);
}

async function run(file: Uint8Array, input: Tensor, threads: number): Promise<Tensor> {
  const model = await createOnnxEngine('cpu').load(file, { threads });
  onTestFinished(() => model.dispose());
  return onlyImage(await model.run(input));
}

const images = ['OST_009.png', '0014.jpg', 'gt_baboon.png'] as const;
const seams = [
  ...images.map((image) => ['realesr-general-x4v3', image, 192, 128, 64] as const),
  ...images.map((image) => ['realesr-animevideov3', image, 192, 128, 64] as const),
  // One seam: the worst of five images needs 64 px and more, and a run takes seconds.
  ['RealESRGAN_x4plus', '00003.png', 256, 32, 128] as const,
];

describe.each(seams)('%s on %s in tiles', { tags: ['slow'] }, (name, file, width, height, tile) => {
  const reason = whyNot(name);
  test.skipIf(reason !== null)(`shows no seam (${reason ?? 'found'})`, async () => {
    const image = await readImage(sharedMedia(`upscale/${file}`), width, height);
    const whole = await upscale(name, image, null);
    const tiled = await upscale(name, image, tile);
    expect(largestDifference(tiled.pixels, whole.pixels)).toBeLessThanOrEqual(1);
  });
});

const named = [
  ['realesr-general-x4v3', 18.5],
  ['RealESRGAN_x4plus', 18],
  ['realesr-animevideov3', 19.5],
] as const;

describe.each(named)('%s', { tags: ['slow'] }, (name, atLeast) => {
  const reason = whyNot(name);
  test.skipIf(reason !== null)(
    `gives the image that went in, only larger (${reason ?? 'found'})`,
    async () => {
      for (const subject of ['comic', 'baboon']) {
        const small = await readImage(sharedMedia(`upscale/lq_${subject}.png`));
        const truth = await readImage(sharedMedia(`upscale/gt_${subject}.png`));
        const large = await upscale(name, small, null);
        expect(large.format).toEqual(truth.format);
        const back = resample(large.pixels, large.format, small.format);
        const figures = {
          model: psnr(large.pixels, truth.pixels),
          lanczos: psnr(resample(small.pixels, small.format, truth.format), truth.pixels),
          shrunkAgain: psnr(back, small.pixels),
        };
        console.log(name, subject, figures);
        expect(figures.model).toBeGreaterThan(atLeast);
        expect(figures.shrunkAgain).toBeGreaterThan(24);
      }
    },
  );
});

const defaultModel = 'realesr-general-x4v3';
const whyNoDefault = whyNot(defaultModel);

describe.skipIf(whyNoDefault !== null)(`${defaultModel} (${whyNoDefault ?? 'found'})`, () => {
  const file = (): Buffer => readFileSync(join(models, `${defaultModel}.onnx`));
  const noise: Tensor = {
    data: Float32Array.from({ length: 3 * 61 * 47 }, seededRandom(1)),
    shape: [1, 3, 47, 61],
  };

  test('folded to scale 2, it returns the average of each 2x2 pixels, within 1e-5', async () => {
    const folded = foldScale2(file(), defaultModel);
    if (folded === null) throw new Error('the model was not recognised');
    const { pixels, format } = await readImage(sharedMedia('upscale/lq_comic.png'));
    const planes = new Float32Array(pixels.length);
    readPlanes(pixels, format.width, { x: 0, y: 0, ...format }, 255, planes);
    const real: Tensor = { data: planes, shape: [1, 3, format.height, format.width] };
    for (const input of [noise, real]) {
      const expected = averageOfEach2x2(await run(file(), input, 2));
      const difference = largestDifference((await run(folded, input, 2)).data, expected);
      console.log('folded against averaged', difference);
      expect(difference).toBeLessThanOrEqual(1e-5);
    }
  });

  test('the result is identical for any number of threads', async () => {
    const [one, two] = [await run(file(), noise, 1), await run(file(), noise, 2)];
    expect(largestDifference(one.data, two.data)).toBe(0);
  });
});

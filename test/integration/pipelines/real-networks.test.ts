import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Tensor } from '../../../src/inference/engine.ts';
import { findNetwork } from '../../../src/inference/networks/find-network.ts';
import { foldScale2 } from '../../../src/inference/networks/fold-scale-2.ts';
import { readManifest } from '../../../src/inference/networks/manifest.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { onlyPicture } from '../../../src/inference/only-picture.ts';
import { NetworkPipeline } from '../../../src/pipelines/upscale/network-pipeline.ts';
import { readPlanes } from '../../../src/pipelines/upscale/pixels.ts';
import { resample } from '../../../src/pipelines/upscale/resample.ts';
import {
  averageOfEach2x2,
  largestDifference,
  psnr,
  readPicture,
  type Picture,
} from '../../helpers/pictures.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { upscaleOne } from '../../helpers/upscale-source.ts';

/*
 * The published weights on real pictures. Networks that were not fetched into models/ are skipped; the figures are
 * printed, and those in docs/decisions/0002-networks.md come from here.
 */
const models = resolve(import.meta.dirname, '../../../models');
const manifest = await readManifest(join(models, 'manifest.json'));

function whyNot(network: string): string | null {
  if (whyNoSharedMedia !== null) return whyNoSharedMedia;
  return existsSync(join(models, `${network}.onnx`)) ? null : `models/${network}.onnx is not there`;
}

async function upscale(name: string, picture: Picture, tile: number | null, scale = 4): Promise<Picture> {
  const network = await findNetwork(name, [models], manifest);
  const pipeline = new NetworkPipeline({
    recipe: { pipeline: 'upscale', network: name, scale, device: 'cpu', tile: 'auto' },
    network,
    embedding: null,
    tile,
    threads: 2,
    engines: [createOnnxEngine('cpu')],
    onInferred: () => undefined,
    onStepDown: () => undefined,
  });
  return upscaleOne(pipeline, picture);
}

async function run(file: Uint8Array, input: Tensor, threads: number): Promise<Tensor> {
  const network = await createOnnxEngine('cpu').load(file, { threads });
  onTestFinished(() => network.dispose());
  return onlyPicture(await network.run(input));
}

const pictures = ['OST_009.png', '0014.jpg', 'gt_baboon.png'] as const;
const seams = [
  ...pictures.map((picture) => ['realesr-general-x4v3', picture, 192, 128, 64] as const),
  ...pictures.map((picture) => ['realesr-animevideov3', picture, 192, 128, 64] as const),
  // One seam: the worst of five pictures needs 64 px and more, and a run takes seconds.
  ['RealESRGAN_x4plus', '00003.png', 256, 32, 128] as const,
];

describe.each(seams)('%s on %s in tiles', (name, file, width, height, tile) => {
  const reason = whyNot(name);
  test.skipIf(reason !== null)(`shows no seam (${reason ?? 'found'})`, async () => {
    const picture = await readPicture(sharedMedia(`upscale/${file}`), width, height);
    const whole = await upscale(name, picture, null);
    const tiled = await upscale(name, picture, tile);
    expect(largestDifference(tiled.pixels, whole.pixels)).toBeLessThanOrEqual(1);
  });
});

const named = [
  ['realesr-general-x4v3', 18.5],
  ['RealESRGAN_x4plus', 18],
  ['realesr-animevideov3', 19.5],
] as const;

describe.each(named)('%s', (name, atLeast) => {
  const reason = whyNot(name);
  test.skipIf(reason !== null)(
    `gives the picture that went in, only larger (${reason ?? 'found'})`,
    async () => {
      for (const subject of ['comic', 'baboon']) {
        const small = await readPicture(sharedMedia(`upscale/lq_${subject}.png`));
        const truth = await readPicture(sharedMedia(`upscale/gt_${subject}.png`));
        const large = await upscale(name, small, null);
        expect(large.format).toEqual(truth.format);
        const back = resample(large.pixels, large.format, small.format);
        const figures = {
          network: psnr(large.pixels, truth.pixels),
          lanczos: psnr(resample(small.pixels, small.format, truth.format), truth.pixels),
          shrunkAgain: psnr(back, small.pixels),
        };
        console.log(name, subject, figures);
        expect(figures.network).toBeGreaterThan(atLeast);
        expect(figures.shrunkAgain).toBeGreaterThan(24);
      }
    },
  );
});

const defaultNetwork = 'realesr-general-x4v3';
const whyNoDefault = whyNot(defaultNetwork);

describe.skipIf(whyNoDefault !== null)(`${defaultNetwork} (${whyNoDefault ?? 'found'})`, () => {
  const file = (): Buffer => readFileSync(join(models, `${defaultNetwork}.onnx`));
  const noise: Tensor = {
    data: Float32Array.from({ length: 3 * 61 * 47 }, seededRandom(1)),
    shape: [1, 3, 47, 61],
  };

  test('folded to scale 2 it gives the average of each 2x2, within 1e-5', async () => {
    const folded = foldScale2(file(), defaultNetwork);
    if (folded === null) throw new Error('the network was not recognised');
    const { pixels, format } = await readPicture(sharedMedia('upscale/lq_comic.png'));
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

  test('the number of threads does not change a bit of the result', async () => {
    const [one, two] = [await run(file(), noise, 1), await run(file(), noise, 2)];
    expect(largestDifference(one.data, two.data)).toBe(0);
  });
});

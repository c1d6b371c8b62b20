import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import sharp from 'sharp';
import { createCpuEngine, loadCpuAddon } from '../../dist/inference/cpu-engine.js';
import { createOnnxEngine } from '../../dist/inference/onnx-engine.js';
import { gradeOf, qualityOf } from '../../dist/trial/grade-precision.js';
import { variants } from './engines.mjs';

const HEADER = [
  ...[
    'MODEL',
    'INSTRUCTIONS',
    'PRECISION',
    'PSNR WORST',
    'MEAN',
    'SSIM WORST',
    'MEAN',
    'GRADE',
    'WORST IMAGE',
  ],
];

/**
 * Quality of the CPU engine against onnxruntime, on the middle of each image of a folder.
 *
 * @param {{ models: readonly { name: string, path: string }[], pictures: string, crop: number, stills: string | undefined,
 *   threads: number, instructionSets: readonly string[] }} options `stills`: a folder for images side by side: bicubic,
 *   onnxruntime, then each precision
 */
export async function measureQuality({ models, pictures, crop, stills, threads, instructionSets }) {
  const images = await Promise.all(
    readdirSync(pictures)
      .sort()
      .map((name) => readMiddle(join(pictures, name), crop)),
  );
  const rows = [];
  for (const { name, path } of models) {
    const file = readFileSync(path);
    const reference = await createOnnxEngine('cpu').load(file, { threads });
    const wanted = [];
    for (const image of images) wanted.push(await upscaled(reference, image));
    await reference.dispose();
    const results = [];
    for (const { instructionSet, precision } of variants(instructionSets)) {
      const model = await createCpuEngine(loadCpuAddon, instructionSet).load(file, { threads, precision });
      const found = [];
      for (const image of images) found.push(await upscaled(model, image));
      await model.dispose();
      const quality = found.map(({ data }, i) =>
        qualityOf(data, wanted[i].data, wanted[i].width, wanted[i].height),
      );
      const worst = quality.indexOf(quality.toSorted((a, b) => a.psnr - b.psnr)[0]);
      rows.push({
        model: name,
        instructionSet,
        precision,
        ...gradeOf(quality),
        worstImage: images[worst].name,
      });
      results.push({ instructionSet, found });
      console.error(`${name} ${instructionSet} ${precision}: ${rows.at(-1).worst.psnr.toFixed(1)} dB`);
    }
    if (stills === undefined) continue;
    mkdirSync(stills, { recursive: true });
    const shown = results.filter(({ instructionSet }) => instructionSet === instructionSets[0]);
    for (const [i, image] of images.entries()) {
      const sheet = [wanted[i], ...shown.map(({ found }) => found[i])];
      await writeSheet(join(stills, `${name}-${image.name}.png`), image, sheet);
    }
  }
  return { header: HEADER, cells: rows.map(cellsOf), data: { images: images.map(({ name }) => name), rows } };
}

function cellsOf({ model, instructionSet, precision, worst, mean, grade, worstImage }) {
  return [
    ...[model, instructionSet, precision, worst.psnr.toFixed(1), mean.psnr.toFixed(1)],
    ...[worst.ssim.toFixed(5), mean.ssim.toFixed(5), grade, worstImage],
  ];
}

async function upscaled(model, { data, width, height }) {
  const [output] = await model.run({ data, shape: [1, 3, height, width] });
  return { data: output.data, width: output.shape[3], height: output.shape[2] };
}

async function readMiddle(path, crop) {
  const { width: w, height: h } = await sharp(path).metadata();
  const [width, height] = [Math.min(crop, w), Math.min(crop, h)];
  const area = { left: (w - width) >> 1, top: (h - height) >> 1, width, height };
  const bytes = await sharp(path).removeAlpha().toColourspace('srgb').extract(area).raw().toBuffer();
  const pixels = width * height;
  const data = Float32Array.from(
    { length: 3 * pixels },
    (_, i) => bytes[(i % pixels) * 3 + Math.floor(i / pixels)] / 255,
  );
  return { name: parse(path).name, bytes, data, width, height };
}

/** Images side by side: bicubic first. */
async function writeSheet(path, { bytes, width, height }, images) {
  const [{ width: wide, height: high }] = images;
  const bicubic = await sharp(bytes, { raw: { width, height, channels: 3 } })
    .resize(wide, high, { kernel: 'cubic' })
    .raw()
    .toBuffer();
  const all = [bicubic, ...images.map(toBytes)];
  const canvas = { width: all.length * (wide + 4) - 4, height: high, channels: 3, background: 'white' };
  const parts = all.map((input, i) => ({
    ...{ input, raw: { width: wide, height: high, channels: 3 } },
    ...{ left: i * (wide + 4), top: 0 },
  }));
  await sharp({ create: canvas }).composite(parts).png().toFile(path);
}

function toBytes({ data, width, height }) {
  const pixels = width * height;
  return Buffer.from(
    Uint8Array.from({ length: 3 * pixels }, (_, i) => {
      const value = data[(i % 3) * pixels + Math.floor(i / 3)];
      return Math.round(Math.min(1, Math.max(0, value)) * 255);
    }),
  );
}

/**
 * Speed and quality of the CPU engine, for each model, instruction set and precision, compared with onnxruntime in the
 * same run. Every measurement is a pair: onnxruntime runs right before it and right after it, so that other programs on the
 * machine disturb both. Prints a table and writes bench/results/cpu-engines.json.
 *
 *   node bench/cpu-engines.mjs --pictures DIR [--model NAME …] [--size 320x180] [--crop 160] [--rounds 5] [--threads 0]
 *                              [--instruction-set NAME …]
 *
 * Quality is that of the pictures in DIR, of which the middle is used, against onnxruntime. Grades: EXCELLENT from 50 dB
 * and an SSIM of 0.999 on the worst picture, ACCEPTABLE from 40 dB and 0.99, otherwise NOT_RECOMMENDED.
 */
import './no-telemetry.mjs';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { formatTable } from '../dist/cli/format-table.js';
import { createCpuEngine, loadCpuAddon } from '../dist/inference/cpu-engine.js';
import { decodeModel } from '../dist/inference/models/onnx-model.js';
import { createOnnxEngine } from '../dist/inference/onnx-engine.js';
import { lowerGraph } from '../dist/inference/plan/lower-graph.js';
import { gradeOf, qualityOf } from '../dist/trial/grade-precision.js';

const { values } = parseArgs({
  options: {
    pictures: { type: 'string' },
    model: { type: 'string', multiple: true, default: ['realesr-general-x4v3', 'RealESRGAN_x4plus'] },
    size: { type: 'string', default: '320x180' },
    crop: { type: 'string', default: '160' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '0' },
    'instruction-set': { type: 'string', multiple: true },
  },
});
if (values.pictures === undefined) throw new Error('--pictures names a folder of images.');
const [width, height] = values.size.split('x').map(Number);
const [crop, rounds] = [values.crop, values.rounds].map(Number);
const threads = Number(values.threads) || availableParallelism();
const instructionSets = values['instruction-set'] ?? loadCpuAddon().instructionSets();

const pictures = await readPictures(resolve(values.pictures));
const rows = [];
for (const name of values.model) rows.push(...(await measureModel(name)));
const root = resolve(import.meta.dirname, '..');
const report = { cpu: cpus()[0].model, threads, size: values.size, rounds, loadAverage: loadavg(), rows };
mkdirSync(join(root, 'bench/results'), { recursive: true });
writeFileSync(join(root, 'bench/results/cpu-engines.json'), `${JSON.stringify(report, null, 2)}\n`);
printTable();

async function measureModel(name) {
  const file = readFileSync(join(import.meta.dirname, '../models', `${name}.onnx`));
  const reference = await createOnnxEngine('cpu').load(file, { threads });
  // A large model gets fewer pixels, for about the same time.
  const work = operationsPerPixel(file, name);
  const shrink = Math.max(1, Math.round(Math.sqrt(work / 4e6)));
  const size = [Math.round(height / shrink), Math.round(width / shrink)];
  const data = Float32Array.from(
    { length: 3 * size[0] * size[1] },
    (_, i) => ((i * 2654435761) >>> 8) / 2 ** 24,
  );
  const wanted = [];
  for (const picture of pictures) wanted.push(await upscaled(reference, picture.data, picture.size(shrink)));
  const measured = [];
  for (const instructionSet of instructionSets) {
    for (const precision of ['exact', 'balanced', 'fast']) {
      const startedAt = performance.now();
      const model = await createCpuEngine(loadCpuAddon, instructionSet).load(file, { threads, precision });
      const loadMs = performance.now() - startedAt;
      const ratios = [];
      const rates = [];
      await upscaled(model, data, size);
      let before = await timeOf(reference, data, size);
      for (let i = 0; i < rounds; i++) {
        const own = await timeOf(model, data, size);
        const after = await timeOf(reference, data, size);
        ratios.push((before + after) / 2 / own);
        rates.push((work * size[0] * size[1]) / own / 1e6);
        before = after;
      }
      const quality = [];
      for (const [i, picture] of pictures.entries()) {
        const [rows, columns] = picture.size(shrink);
        const found = await upscaled(model, picture.data, [rows, columns]);
        const scale = Math.round(Math.sqrt(found.length / (3 * rows * columns)));
        quality.push(qualityOf(found, wanted[i], columns * scale, rows * scale));
      }
      await model.dispose();
      const row = {
        model: name,
        instructionSet,
        precision,
        loadMs,
        ...spreadOf(ratios),
        ...gradeOf(quality),
      };
      measured.push({ ...row, gigaflops: median(rates), bestGigaflops: Math.max(...rates) });
      console.error(`${name} ${instructionSet} ${precision}: ${row.ratio.toFixed(2)} times onnxruntime`);
    }
  }
  await reference.dispose();
  return measured;
}

async function upscaled(model, data, [rows, columns]) {
  const cut = data instanceof Float32Array ? data : data([rows, columns]);
  return (await model.run({ data: cut, shape: [1, 3, rows, columns] }))[0].data;
}

async function timeOf(model, data, size) {
  const startedAt = performance.now();
  await upscaled(model, data, size);
  return performance.now() - startedAt;
}

/** Multiplications and additions of all convolutions, as if they were computed directly. */
function operationsPerPixel(file, name) {
  const { steps } = lowerGraph(decodeModel(file, name).graph);
  return steps.steps
    .filter(({ op }) => op === 'conv')
    .reduce((sum, { weights, output }) => sum + 2 * weights.length * steps.value(output).area, 0);
}

async function readPictures(folder) {
  const read = async (name) => {
    const { data, info } = await sharp(join(folder, name))
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const size = (shrink) =>
      [info.height, info.width].map((edge) => Math.min(edge, Math.round(crop / shrink)));
    const middle = ([rows, columns]) => {
      const [top, left] = [(info.height - rows) >> 1, (info.width - columns) >> 1];
      return Float32Array.from({ length: 3 * rows * columns }, (_, i) => {
        const [x, y] = [i % columns, Math.floor(i / columns) % rows];
        const color = Math.floor(i / (rows * columns));
        return data[((top + y) * info.width + left + x) * 3 + color] / 255;
      });
    };
    return { name, size, data: middle };
  };
  return Promise.all(readdirSync(folder).sort().map(read));
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

function spreadOf(ratios) {
  return { ratio: median(ratios), leastRatio: Math.min(...ratios), largestRatio: Math.max(...ratios) };
}

function printTable() {
  const header = [
    ...['MODEL', 'INSTRUCTIONS', 'PRECISION', 'GFLOP/S', 'ONNXRUNTIME = 1', 'SPREAD'],
    ...['PSNR WORST', 'MEAN', 'SSIM WORST', 'GRADE'],
  ];
  const cells = rows.map((row) => [
    ...[row.model, row.instructionSet, row.precision, row.bestGigaflops.toFixed(0), row.ratio.toFixed(2)],
    `${row.leastRatio.toFixed(2)} to ${row.largestRatio.toFixed(2)}`,
    ...[row.worst.psnr.toFixed(1), row.mean.psnr.toFixed(1), row.worst.ssim.toFixed(5), row.grade],
  ]);
  for (const line of formatTable(header, cells)) console.log(line);
  console.log(`${report.cpu}, ${threads} threads, ${pictures.length} pictures, ${rounds} rounds`);
}

/**
 * What the reuse of unchanged parts saves: clips, and noise in which nothing can be reused, go through the pipeline of a
 * job with and without it. Both take turns batch by batch, so that other programs on the machine disturb both; the times
 * are CPU seconds of this process. Prints a table and writes bench/results/reused-tiles.json.
 *
 *   node bench/reused-tiles.mjs [--model realesr-general-x4v3] [--scale 2] [--frames 90] [--checked 6] [--noise 320x180] CLIP …
 *
 * As many frames of each clip as --checked says are computed again, each by a pipeline that has no earlier frame, and
 * compared byte by byte.
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../dist/cli/format-table.js';
import { createCpuEngine } from '../dist/inference/cpu-engine.js';
import { choosePrecision } from '../dist/inference/choose-precision.js';
import { createOnnxEngine } from '../dist/inference/onnx-engine.js';
import { findModel } from '../dist/inference/models/find-model.js';
import { readKnownModels } from '../dist/inference/models/known-models.js';
import { createPipeline } from '../dist/pipelines/create-pipeline.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'realesr-general-x4v3' },
    scale: { type: 'string', default: '2' },
    frames: { type: 'string', default: '90' },
    checked: { type: 'string', default: '6' },
    noise: { type: 'string', default: '320x180' },
  },
});
const root = resolve(import.meta.dirname, '..');
const [count, checked] = [values.frames, values.checked].map(Number);
const { signal } = new AbortController();
const model = await findModel(values.model, [join(root, 'models')], await readKnownModels());

const rows = [];
for (const clip of [...positionals, null]) {
  const row = await measure(clip === null ? noiseOf(values.noise) : framesOf(clip));
  rows.push({ clip: clip === null ? 'noise' : basename(clip), ...row });
  console.error(JSON.stringify(rows.at(-1)));
}
mkdirSync(join(root, 'bench/results'), { recursive: true });
const report = { cpu: cpus()[0].model, model: values.model, scale: Number(values.scale), rows };
writeFileSync(join(root, 'bench/results/reused-tiles.json'), `${JSON.stringify(report, null, 2)}\n`);
const header = [
  'CLIP',
  'SIZE',
  'FRAMES',
  'DUPLICATES',
  'AREA REUSED',
  'CPU S WITHOUT',
  'WITH',
  'SPEED',
  'SAME BYTES',
];
const cells = rows.map((row) => [
  ...[row.clip, row.size, `${row.frames}`, `${row.duplicates}`, `${(100 * row.reusedShare).toFixed(0)} %`],
  ...[row.without.toFixed(1), row.with.toFixed(1), `${(row.without / row.with).toFixed(2)} x`, row.checked],
]);
for (const line of formatTable(header, cells)) console.log(line);

async function measure({ width, height, frames }) {
  let reused = 0;
  const [plain, reusing] = [
    await open(width, height, false),
    await open(width, height, true, (share) => (reused += share)),
  ];
  const seconds = { without: 0, with: 0 };
  const results = [];
  const batches = [frames.slice(0, 30)];
  for (let i = 30; i < frames.length; i += 60) batches.push(frames.slice(i, i + 60));
  for (const batch of batches) {
    seconds.without += await secondsOf(() => transform(plain, batch));
    seconds.with += await secondsOf(async () => results.push(...(await transform(reusing, batch))));
  }
  await Promise.all([plain.close(), reusing.close()]);
  const equal = await countEqual(width, height, batches, results);
  const duplicates = frames.filter((frame, i) => i > 0 && frame.equals(frames[i - 1])).length;
  const size = `${width}x${height}`;
  return {
    size,
    frames: frames.length,
    duplicates,
    reusedShare: reused / frames.length,
    ...seconds,
    checked: equal,
  };
}

/** Of the frames spread over the clip, how many are the same without an earlier frame. */
async function countEqual(width, height, batches, results) {
  const all = batches.flatMap((batch, number) => batch.map((_, at) => ({ batch, at, number })));
  const step = Math.max(1, Math.floor(all.length / checked));
  const sample = [...all.keys()].filter((i) => i % step === step - 1).slice(0, checked);
  let equal = 0;
  for (const i of sample) {
    const { batch, at } = all[i];
    const pipeline = await open(width, height, true);
    await pipeline.lookAhead(numbered(batch), signal);
    for await (const { pixels } of pipeline.process(numbered([batch[at]]), null, signal))
      if (pixels.equals(results[i])) equal++;
    await pipeline.close();
  }
  return `${equal} of ${sample.length}`;
}

async function open(width, height, reusesTiles, onReused = () => {}) {
  const recipe = {
    pipeline: 'upscale',
    model: values.model,
    scale: Number(values.scale),
    device: 'cpu',
    tile: 'auto',
  };
  const pipeline = createPipeline(recipe, {
    ...{
      model,
      embedding: null,
      tile: null,
      threads: 0,
      precision: choosePrecision('auto', model),
      reusesTiles,
    },
    ...{ engines: [createCpuEngine(), createOnnxEngine('cpu')], shrinksWith: 'sharp' },
    ...{ onInferred: () => {}, onStepDown: console.error, onReused },
  });
  await pipeline.open({
    video: { width, height, bitsPerComponent: 8, isStill: false, sampleAspectRatio: { num: 1, den: 1 } },
  });
  return pipeline;
}

async function transform(pipeline, frames) {
  const results = [];
  await pipeline.lookAhead(numbered(frames), signal);
  for await (const { pixels } of pipeline.process(numbered(frames), null, signal)) results.push(pixels);
  return results;
}

function numbered(frames) {
  return frames.map((pixels, number) => ({ number, pixels }));
}

async function secondsOf(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function framesOf(clip) {
  const probe = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=width,height',
    '-of',
    'csv=p=0:s=x',
  ];
  const [width, height] = execFileSync('ffprobe', [...probe, clip], { encoding: 'utf8' })
    .split('\n')[0]
    .split('x')
    .map(Number);
  const decode = ['-v', 'error', '-nostdin', '-i', clip, '-map', '0:v:0', '-frames:v', String(count)];
  const raw = execFileSync('ffmpeg', [...decode, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
    maxBuffer: 2 ** 32,
  });
  const bytes = 3 * width * height;
  return {
    width,
    height,
    frames: Array.from({ length: raw.length / bytes }, (_, i) => raw.subarray(i * bytes, (i + 1) * bytes)),
  };
}

function noiseOf(size) {
  const [width, height] = size.split('x').map(Number);
  return {
    width,
    height,
    frames: Array.from({ length: count }, () => randomFillSync(Buffer.alloc(3 * width * height))),
  };
}

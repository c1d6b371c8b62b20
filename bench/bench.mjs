/**
 * All figures of this machine in one run; takes about six minutes on two quiet cores. Prints tables and writes the numbers,
 * also those of single rounds and seconds, to a file.
 *
 *   npm run bench -- [--only engines,job,stages,daemon,queue,quality] [--json] [--report bench/results/bench.json]
 *
 * - engines: speed of the CPU engine against onnxruntime, in pairs, beside what the processor can do at most
 *     [--model NAME-OR-FILE …] [--size 320x180 …] [--rounds 3] [--threads 0] [--instruction-set NAME …]
 * - quality: PSNR and SSIM against onnxruntime on the middle of each image of a folder; only with --pictures
 *     --pictures DIR [--crop 160] [--stills DIR]: also writes bicubic, onnxruntime and each precision side by side
 * - job: a whole job against the bare engine (bench/end-to-end.mjs), for each --job-size
 *     [--job-size 320x180 …] [--frames 120]
 * - stages: what a frame costs in each stage, alone and in a job, for each --job-size
 * - daemon: start, delay of the event loop with five pages open, and memory over time [--seconds 120]
 * - queue: operations of the queue [--jobs 100000]
 *
 * With --clip clip.mp4, engines and jobs get the frames of a real clip, at each size, instead of a fractal with noise.
 */
import './no-telemetry.mjs';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../dist/cli/format-table.js';
import { loadCpuAddon } from '../dist/inference/cpu-engine.js';
import { measureDaemon } from './sections/daemon.mjs';
import { measureEngines } from './sections/engines.mjs';
import { measureJob } from './sections/job.mjs';
import { measureQuality } from './sections/quality.mjs';
import { measureQueue } from './sections/queue.mjs';
import { measureStages } from './sections/stages.mjs';

const root = resolve(import.meta.dirname, '..');
const MODELS = ['realesr-general-x4v3', 'realesr-animevideov3', 'RealESRGAN_x4plus'];
/** Those that new processors have: plain and AVX-512 without VNNI are asked for by name. */
const INSTRUCTION_SETS = ['avx512-vnni', 'avx2-vnni', 'avx2'];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    report: { type: 'string', default: join(root, 'bench/results/bench.json') },
    model: { type: 'string', multiple: true },
    size: { type: 'string', multiple: true, default: ['160x90', '320x180', '640x360'] },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '0' },
    'instruction-set': { type: 'string', multiple: true },
    'job-size': { type: 'string', multiple: true, default: ['320x180'] },
    frames: { type: 'string', default: '120' },
    clip: { type: 'string' },
    pictures: { type: 'string' },
    crop: { type: 'string', default: '160' },
    stills: { type: 'string' },
    seconds: { type: 'string', default: '120' },
    jobs: { type: 'string', default: '100000' },
  },
});

const threads = Number(values.threads) || availableParallelism();
const sections = {
  engines: () => measureEngines({ ...cpuOptions(), sizes: values.size, clip: values.clip }),
  quality: () =>
    measureQuality({
      ...cpuOptions(),
      pictures: values.pictures,
      crop: Number(values.crop),
      stills: values.stills,
    }),
  job: () => measureJob({ root, sizes: values['job-size'], frames: values.frames, clip: values.clip }),
  stages: () =>
    measureStages({ root, sizes: values['job-size'], frames: Number(values.frames), clip: values.clip }),
  daemon: () => {
    const model = existsSync(findModel(MODELS[0]).path) ? MODELS[0] : 'lanczos';
    return measureDaemon({ root, seconds: Number(values.seconds), size: '320x180', model });
  },
  queue: () => measureQueue({ root, jobs: Number(values.jobs) }),
};
const wanted =
  values.only?.split(',') ?? Object.keys(sections).filter((name) => name !== 'quality' || values.pictures);
for (const name of wanted) {
  if (!(name in sections))
    throw new Error(`--only names ${name}; there are ${Object.keys(sections).join(', ')}.`);
}
if (wanted.includes('quality') && !values.pictures) throw new Error('--pictures names a folder of images.');

const report = {
  ...{
    machine: `${cpus().length} x ${cpus()[0].model.trim()}`,
    threads,
    loadAverage: loadavg(),
  },
  sections: {},
};
for (const name of wanted) {
  const { header, cells, data } = await sections[name]();
  report.sections[name] = data;
  if (values.json) continue;
  for (const line of formatTable(header, cells)) console.log(line);
  console.log();
}
const loads = [report.loadAverage, loadavg()].map(([minute]) => minute.toFixed(1));
const summary = `${report.machine}, ${report.threads} threads, load average ${loads.join(' before and ')} after`;
mkdirSync(dirname(resolve(values.report)), { recursive: true });
writeFileSync(values.report, `${JSON.stringify(report, null, 2)}\n`);
console.log(values.json ? JSON.stringify(report, null, 2) : summary);

function findModel(nameOrFile) {
  if (nameOrFile.endsWith('.onnx')) return { name: basename(nameOrFile, '.onnx'), path: resolve(nameOrFile) };
  return { name: nameOrFile, path: join(root, 'models', `${nameOrFile}.onnx`) };
}

/** Not asked for by other sections, which need neither the addon nor a model. */
function cpuOptions() {
  return {
    ...{ root, threads, models: installedModels(), rounds: Number(values.rounds) },
    instructionSets: chooseInstructionSets(),
  };
}

function installedModels() {
  const models = (values.model ?? MODELS).map(findModel);
  const found = models.filter(({ path }) => existsSync(path));
  if (values.model === undefined && found.length > 0) return found;
  for (const { path } of models)
    if (!existsSync(path))
      throw new Error(`${path} does not exist; framekiln models pull downloads a model.`);
  return found;
}

function chooseInstructionSets() {
  const available = loadCpuAddon().instructionSets();
  if (values['instruction-set'] !== undefined) return values['instruction-set'];
  const usual = INSTRUCTION_SETS.filter((name) => available.includes(name));
  return usual.length > 0 ? usual : available;
}

/**
 * The estimate that a job gets when it is queued, compared with the time that it takes, for six different jobs of the real
 * program in one new home. No two jobs have the same recipe, so each estimate comes from the measurement of this machine.
 *
 *   npm run build && node bench/estimates.mjs --film FILE --faces FILE [--models-from FOLDER] [--job NAME …] [--report FILE]
 *
 * `--film`: a video with at least 640x360 pixels; `--faces`: one with faces. Both are repeated to the length of the jobs and
 * scaled to their sizes. `--models-from`: published files of realesr-animevideov3; without them, its job is left out.
 *
 * The estimate is for a machine that is otherwise idle. CPU seconds are those of the worker with its ffmpeg processes; divided
 * by the number of cores, they are the least time that the job takes. That, unlike the elapsed time, hardly depends on
 * other programs.
 */
import './no-telemetry.mjs';
import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../dist/cli/format-table.js';
import { childrenOf, cpuSeconds, isWorker } from './process-memory.mjs';

const root = resolve(import.meta.dirname, '..');
const MAIN = join(root, 'dist/main.js');
const ANIME = 'realesr-animevideov3';

/** A job: the size and number of frames of its source, and its recipe. */
const JOBS = {
  general: { size: '320x180', frames: 120, recipe: { model: 'realesr-general-x4v3', scale: 2 } },
  'general-small': { size: '160x90', frames: 240, recipe: { model: 'realesr-general-x4v3', scale: 4 } },
  animevideov3: { size: '320x180', frames: 150, recipe: { model: ANIME, scale: 3 } },
  x4plus: { size: '96x54', frames: 40, recipe: { model: 'RealESRGAN_x4plus', scale: 4 } },
  lanczos: { size: '640x360', frames: 480, recipe: { model: 'lanczos', scale: 2 } },
  'dual-face': { size: '640x360', frames: 300, recipe: { pipeline: 'dual-face', width: 1280, height: 720 } },
};
const HEADER = 'JOB,SIZE,FRAMES,ESTIMATE S,TIME S,RATIO,CPU S,CPU S / CORES,LOAD BEFORE'.split(',');
const SAMPLE_MS = 100;

const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    film: text,
    faces: text,
    'models-from': text,
    job: { ...text, multiple: true, default: Object.keys(JOBS) },
    report: { ...text, default: join(root, 'bench/results/estimates.json') },
  },
});
for (const name of ['film', 'faces']) if (!values[name]) throw new Error(`--${name} names a video.`);

const home = mkdtempSync(join(tmpdir(), 'framekiln-bench-'));
try {
  makeHome();
  const rows = [];
  for (const name of values.job) {
    if (!(name in JOBS)) throw new Error(`--job names ${name}; there are ${Object.keys(JOBS).join(', ')}.`);
    if (JOBS[name].recipe.model === ANIME && !hasAnime()) continue;
    rows.push(await measure(name, JOBS[name]));
    // A table that grows: a run takes minutes.
    console.log(formatTable(HEADER, rows.map(cellsOf)).join('\n'), '\n');
  }
  const machine = `${cpus().length} x ${cpus()[0].model.trim()}`;
  mkdirSync(dirname(resolve(values.report)), { recursive: true });
  writeFileSync(values.report, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
} finally {
  rmSync(home, { recursive: true, force: true });
}

function makeHome() {
  for (const folder of ['input', 'clips', 'models']) mkdirSync(join(home, folder));
  for (const model of [
    'realesr-general-x4v3',
    'RealESRGAN_x4plus',
    'blazeface-full-range',
    'face-recognition',
  ])
    if (existsSync(join(root, `models/${model}.onnx`)))
      symlinkSync(join(root, `models/${model}.onnx`), join(home, `models/${model}.onnx`));
  writeFileSync(join(home, 'framekiln.yaml'), 'intake: { settleSeconds: 0.2 }\npage: { enabled: false }\n');
  const from = values['models-from'];
  if (from !== undefined)
    execFileSync(process.execPath, [MAIN, 'models', 'pull', ANIME, '--from', resolve(from), '--home', home]);
}

function hasAnime() {
  return existsSync(join(home, 'models', `${ANIME}.onnx`));
}

async function measure(name, { size, frames, recipe }) {
  const clip = join(home, 'clips', `${name}.mp4`);
  const source = resolve(recipe.pipeline === 'dual-face' ? values.faces : values.film);
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-stream_loop', '-1', '-i', source, '-an', '-frames:v', String(frames)],
    ...['-vf', `fps=25,scale=${size.replace('x', ':')},setsar=1`, '-pix_fmt', 'yuv420p', '-crf', '12', clip],
  ]);
  const load = loadavg()[0];
  const { seconds: cpu, log } = await runJob(name, clip, recipe);
  const [estimate, took] = [
    secondsIn(log, /\((about [^,]+), as measured/),
    secondsIn(log, /done in ([^:]+):/),
  ];
  return {
    ...{ name, size, frames, estimate, took, ratio: estimate / took },
    ...{ cpu, cpuPerCore: cpu / availableParallelism(), load },
  };
}

/** Runs the daemon until the job is done. */
async function runJob(name, clip, recipe) {
  const before = logText().length;
  const input = join(home, 'input', `${name}.mp4`);
  writeFileSync(`${input}.recipe.yaml`, JSON.stringify(recipe));
  copyFileSync(clip, input);
  const child = spawn(process.execPath, [MAIN, 'start', '--once', '--home', home], { stdio: 'ignore' });
  let seconds = 0;
  const watching = setInterval(() => {
    for (const pid of childrenOf(child.pid).filter(isWorker)) seconds = Math.max(seconds, cpuSeconds(pid));
  }, SAMPLE_MS);
  const code = await new Promise((end) => child.once('close', end));
  clearInterval(watching);
  const log = logText().slice(before);
  if (code !== 0) throw new Error(`The job ${name} ended with ${code}:\n${log}`);
  return { seconds, log };
}

function logText() {
  const path = join(home, 'logs/framekiln.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Seconds of a duration in a log, such as `2 min 44 s`; NaN if it is not there. */
function secondsIn(log, pattern) {
  const text = pattern.exec(log)?.[1];
  if (text === undefined) return NaN;
  const unit = { s: 1, min: 60, h: 3600, d: 86_400 };
  return [...text.matchAll(/([\d.]+) (min|s|h|d)/g)].reduce(
    (sum, [, n, of]) => sum + Number(n) * unit[of],
    0,
  );
}

function cellsOf({ name, size, frames, ...numbers }) {
  const { estimate, took, ratio, cpu, cpuPerCore, load } = numbers;
  return [
    ...[name, size, String(frames), estimate.toFixed(0), took.toFixed(0), ratio.toFixed(2)],
    ...[cpu.toFixed(1), cpuPerCore.toFixed(1), load.toFixed(1)],
  ];
}

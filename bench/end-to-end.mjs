/**
 * Speed of a whole job, with the real daemon, worker, ffmpeg and RAM disk, compared with the bare engine on frames of the
 * same size, which is measured before and after the job. Prints a table and writes bench/results/end-to-end.json.
 *
 *   node bench/end-to-end.mjs [--width 320] [--height 180] [--frames 60] [--model realesr-general-x4v3] [--scale 2] [--precision fast]
 */
import './no-telemetry.mjs';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { childrenOf, megabytes } from './process-memory.mjs';

const root = resolve(import.meta.dirname, '..');
const dist = (path) => import(join(root, 'dist', path));
const { values } = parseArgs({
  options: {
    width: { type: 'string', default: '320' },
    height: { type: 'string', default: '180' },
    frames: { type: 'string', default: '60' },
    model: { type: 'string', default: 'realesr-general-x4v3' },
    scale: { type: 'string', default: '2' },
    precision: { type: 'string', default: 'fast' },
  },
});
const [width, height, frames, scale] = [values.width, values.height, values.frames, values.scale].map(Number);

// The speed is measured between the end of the first batch, 10 frames, and the end of the job.
if (!(frames >= 20)) throw new Error('--frames must be at least 20.');

const home = mkdtempSync(join(tmpdir(), 'framekiln-bench-'));
try {
  const engine = await bareEngine();
  const before = await engine.rate();
  const job = await wholeJob();
  const after = await engine.rate();
  report({ before, after, ...job });
} finally {
  rmSync(home, { recursive: true, force: true });
}

/** The model alone, on whole frames. */
async function bareEngine() {
  const { availableEngines } = await dist('inference/available-engines.js');
  const { chooseEngine } = await dist('inference/load-model.js');
  const { frameTrial } = await dist('pipelines/upscale/frame-trial.js');
  const { foldScale2 } = await dist('inference/models/fold-scale-2.js');
  const file = readFileSync(join(root, 'models', `${values.model}.onnx`));
  const onnx = (scale === 2 ? foldScale2(file, values.model) : null) ?? file;
  const options = { threads: 0, precision: values.precision };
  const { model } = await chooseEngine(onnx, 'auto', availableEngines(), options, frameTrial);
  const data = new Float32Array(3 * width * height).map((_, i) => (i % 251) / 251);
  const runs = Math.max(5, Math.round(frames / 4));
  return {
    async rate() {
      const run = () => model.run({ data, shape: [1, 3, height, width] });
      await run();
      const startedAt = performance.now();
      for (let i = 0; i < runs; i++) await run();
      return (runs * 1000) / (performance.now() - startedAt);
    },
  };
}

/** Processes one file with `framekiln start --once`; the speed is that of the frames after the first batch. */
async function wholeJob() {
  const input = join(home, 'input');
  mkdirSync(input);
  const trace = join(home, 'trace');
  writeFileSync(
    join(home, 'framekiln.yaml'),
    `intake: { settleSeconds: 0.2 }\nrecipe: { model: ${values.model}, scale: ${scale} }\nbatch: { firstFrames: 10, frames: 20 }\nengine: { precision: ${values.precision} }\n`,
  );
  const clip = [
    '-f',
    'lavfi',
    '-i',
    // Noise, because parts that do not change would not be computed.
    `mandelbrot=size=${width}x${height}:rate=25,noise=alls=12:allf=t`,
    '-frames:v',
    String(frames),
    '-pix_fmt',
    'yuv420p',
  ];
  execFileSync('ffmpeg', [
    '-hide_banner',
    '-loglevel',
    'error',
    '-nostdin',
    ...clip,
    join(input, 'clip.mp4'),
  ]);
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), 'start', '--once', '--home', home], {
    stdio: 'ignore',
    env: { ...process.env, FRAMEKILN_TRACE: trace, FRAMEKILN_ESTIMATE_MEASURE: 'false' },
  });
  const peaks = { daemon: 0, worker: 0 };
  const watching = setInterval(() => {
    peaks.daemon = Math.max(peaks.daemon, megabytes(child.pid, 'VmHWM'));
    for (const pid of childrenOf(child.pid)) peaks.worker = Math.max(peaks.worker, megabytes(pid, 'VmHWM'));
  }, 200);
  const code = await new Promise((end) => child.once('exit', end));
  clearInterval(watching);
  if (code !== 0)
    throw new Error(`The job ended with ${code}:\n${readFileSync(join(home, 'logs/framekiln.log'), 'utf8')}`);
  const ends = readFileSync(trace, 'utf8')
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[2]));
  const steady = ends.slice(10);
  const job = ((steady.length - 1) * 1000) / (steady.at(-1) - steady[0]);
  return {
    job,
    framesInferred: ends.length,
    daemonPeakMegabytes: peaks.daemon,
    workerPeakMegabytes: peaks.worker,
  };
}

function report({ before, after, job, ...rest }) {
  const bare = (before + after) / 2;
  const result = {
    machine: `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    what: `${values.model}, ${width}x${height}, scale ${scale}, ${frames} frames`,
    bareEngineFps: { before: round(before), after: round(after) },
    wholeJobFps: round(job),
    ratio: round(job / bare),
    ...rest,
  };
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  writeFileSync(join(root, 'bench/results/end-to-end.json'), `${JSON.stringify(result, null, 2)}\n`);
  for (const [name, value] of Object.entries(result))
    console.log(`${name.padEnd(22)}${typeof value === 'object' ? JSON.stringify(value) : value}`);
}

function round(value) {
  return Math.round(value * 1000) / 1000;
}

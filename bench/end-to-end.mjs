/**
 * Speed of a whole job, with the real daemon, worker, ffmpeg and RAM disk, compared with the bare engine on frames of the
 * same size, which is measured before and after the job. Prints a table and writes a report.
 *
 * The bare engine must have the same speed before and after the job; if it differs by more than a tenth, the result says that
 * the job was disturbed.
 *
 * On a busy machine the wall clock says little. CPU time does: that of the bare engine for a frame, and what a further frame
 * costs in a job, with all processes, from two jobs of different lengths.
 *
 *   node bench/end-to-end.mjs [--width 320] [--height 180] [--frames 120] [--model realesr-general-x4v3] [--scale 2] [--precision fast]
 *     [--batch 60] [--program dist/main.js] [--clip clip.mp4] [--report FILE]
 *
 * Without --clip, the video is a fractal with noise, so no part of a frame can be reused, and the encoder takes longer.
 */
import './no-telemetry.mjs';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { childrenOf, megabytes } from './process-memory.mjs';

const root = resolve(import.meta.dirname, '..');
const dist = (path) => import(join(root, 'dist', path));
const { values } = parseArgs({
  options: {
    width: { type: 'string', default: '320' },
    height: { type: 'string', default: '180' },
    frames: { type: 'string', default: '120' },
    model: { type: 'string', default: 'realesr-general-x4v3' },
    scale: { type: 'string', default: '2' },
    precision: { type: 'string', default: 'fast' },
    batch: { type: 'string', default: 'auto' },
    program: { type: 'string', default: join(root, 'dist/main.js') },
    clip: { type: 'string' },
    report: { type: 'string', default: join(root, 'bench/results/end-to-end.json') },
  },
});
const [width, height, frames, scale] = [values.width, values.height, values.frames, values.scale].map(Number);

/** Frames of the first batch; the speed is measured between its end and the end of the job. */
const FIRST = 30;
/** Share by which the bare engine may differ before and after. */
const MOST_DRIFT = 0.1;
if (!(frames >= 2 * FIRST)) throw new Error(`--frames must be at least ${2 * FIRST}.`);

const engine = await bareEngine();
const before = await engine.measure();
const job = await wholeJob(frames);
const after = await engine.measure();
const start = await wholeJob(FIRST);
report({ before, after, job, start });

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
    async measure() {
      const run = () => model.run({ data, shape: [1, 3, height, width] });
      await run();
      const startedAt = performance.now();
      const cpu = process.cpuUsage();
      for (let i = 0; i < runs; i++) await run();
      const { user, system } = process.cpuUsage(cpu);
      return {
        fps: (runs * 1000) / (performance.now() - startedAt),
        cpuMs: (user + system) / 1000 / runs,
      };
    },
  };
}

/** Processes a clip of this length with `framekiln start --once`; the speed is that of the frames after the first batch. */
async function wholeJob(length) {
  const home = mkdtempSync(join(tmpdir(), 'framekiln-bench-'));
  try {
    makeHome(home, length);
    const { code, cpuMs, ...peaks } = await runDaemon(home);
    if (code !== 0)
      throw new Error(
        `The job ended with ${code}:\n${readFileSync(join(home, 'logs/framekiln.log'), 'utf8')}`,
      );
    const ends = readFileSync(join(home, 'trace'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[2]));
    const steady = ends.slice(FIRST);
    const fps = ((steady.length - 1) * 1000) / (steady.at(-1) - steady[0]);
    return { fps, cpuMs, framesInferred: ends.length, ...peaks };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function makeHome(home, length) {
  const input = join(home, 'input');
  mkdirSync(input);
  writeFileSync(
    join(home, 'framekiln.yaml'),
    `intake: { settleSeconds: 0.2 }
recipe: { model: ${values.model}, scale: ${scale} }
batch: { firstFrames: ${FIRST}${values.batch === 'auto' ? '' : `, frames: ${values.batch}`} }
engine: { precision: ${values.precision} }
`,
  );
  // Noise, because parts that do not change would not be computed.
  const picture = `mandelbrot=size=${width}x${height}:rate=25,noise=alls=12:allf=t`;
  const source =
    values.clip === undefined
      ? ['-f', 'lavfi', '-i', picture]
      : ['-stream_loop', '-1', '-i', values.clip, '-an', '-vf', `scale=${width}:${height}`];
  const clip = [...source, '-frames:v', String(length), '-pix_fmt', 'yuv420p'];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...clip, join(input, 'clip.mp4')]);
}

/** Runs the program until the queue is empty. CPU time counts all of its processes. */
async function runDaemon(home) {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1';
  const command = [process.execPath, resolve(values.program), 'start', '--once', '--home', home];
  const child = spawn('bash', ['-c', script, 'bash', ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, FRAMEKILN_TRACE: join(home, 'trace'), FRAMEKILN_ESTIMATE_MEASURE: 'false' },
  });
  let times = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (times += text));
  const peaks = { daemonPeakMegabytes: 0, workerPeakMegabytes: 0 };
  const watching = setInterval(() => {
    for (const daemon of childrenOf(child.pid)) {
      peaks.daemonPeakMegabytes = Math.max(peaks.daemonPeakMegabytes, megabytes(daemon, 'VmHWM'));
      for (const pid of childrenOf(daemon))
        peaks.workerPeakMegabytes = Math.max(peaks.workerPeakMegabytes, megabytes(pid, 'VmHWM'));
    }
  }, 200);
  const code = await new Promise((end) => child.once('close', end));
  clearInterval(watching);
  const [user, system] = times.trim().split(' ').map(Number);
  return { code, cpuMs: (user + system) * 1000, ...peaks };
}

function report({ before, after, job: { fps, cpuMs, ...rest }, start }) {
  const bare = { fps: (before.fps + after.fps) / 2, cpuMs: (before.cpuMs + after.cpuMs) / 2 };
  const frameMs = (cpuMs - start.cpuMs) / (frames - FIRST);
  const drift = after.fps / before.fps - 1;
  const result = {
    machine: `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    what: `${values.model}, ${values.clip === undefined ? 'generated' : basename(values.clip)}, ${width}x${height}, scale ${scale}, ${frames} frames, batch ${values.batch}`,
    bareEngineFps: { before: round(before.fps), after: round(after.fps) },
    drift: round(drift),
    isDisturbed: Math.abs(drift) > MOST_DRIFT,
    wholeJobFps: round(fps),
    ratio: round(fps / bare.fps),
    bareEngineCpuMs: { before: round(before.cpuMs), after: round(after.cpuMs) },
    wholeJobCpuMs: round(frameMs),
    ratioOfCpu: round(bare.cpuMs / frameMs),
    ...rest,
  };
  mkdirSync(dirname(resolve(values.report)), { recursive: true });
  writeFileSync(values.report, `${JSON.stringify(result, null, 2)}\n`);
  for (const [name, value] of Object.entries(result))
    console.log(`${name.padEnd(22)}${typeof value === 'object' ? JSON.stringify(value) : value}`);
}

function round(value) {
  return Math.round(value * 1000) / 1000;
}

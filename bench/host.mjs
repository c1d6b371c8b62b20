/**
 * What the host does for each frame of a job beside the model: CPU time by stage, from 1080p to 2160p by default. The model
 * repeats pixels, and the GPU is a CUDA addon in JavaScript that returns at once (bench/null-addon.cjs).
 *
 * CPU seconds (user and system) are noted for each process, because wall-clock times say nothing on a busy machine. Figures are
 * the difference between a job of --frames frames and one of two frames, for a frame.
 *
 *   node bench/host.mjs [--width 1920] [--height 1080] [--frames 32] [--preset ultrafast] [--clip clip.mp4] [--program dist]
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findProgram } from './host/ffmpeg-times.mjs';
import { runTimedJob } from './jobs/timed-job.mjs';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    width: { type: 'string', default: '1920' },
    height: { type: 'string', default: '1080' },
    frames: { type: 'string', default: '32' },
    preset: { type: 'string', default: 'ultrafast' },
    clip: { type: 'string' },
    program: { type: 'string', default: join(root, 'dist') },
  },
});
const [width, height, frames] = [values.width, values.height, values.frames].map(Number);
const SCALE = 2;
/** Length of the job that is subtracted. */
const SHORT = 2;

const folder = mkdtempSync(join(tmpdir(), 'framekiln-host-'));
try {
  const program = copyOfProgram();
  const model = await writeModel();
  const clip = makeClip();
  // The first start probes the hardware.
  await job(program, model, variant(clip, 'first', SHORT));
  const short = await job(program, model, variant(clip, 'short', SHORT));
  const long = await job(program, model, variant(clip, 'long', frames));
  report(short, long, ownTimes(variant(clip, 'own', frames), join(folder, 'output')));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The program beside an addon of its own, which is loaded like a real one. */
function copyOfProgram() {
  const copy = join(folder, 'program');
  cpSync(resolve(values.program), join(copy, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  for (const name of ['node_modules', 'models', 'native-cpu'])
    symlinkSync(join(root, name), join(copy, name));
  const addon = join(copy, 'native-cuda/prebuilt');
  mkdirSync(addon, { recursive: true });
  writeFileSync(join(addon, 'framekiln_cuda.node'), '');
  return join(copy, 'dist/main.js');
}

/** A model that repeats each pixel. */
async function writeModel() {
  const dist = (path) => import(join(root, 'dist/inference/models', path));
  const { OnnxGraphBuilder } = await dist('onnx-graph-builder.js');
  const { encodeModel } = await dist('onnx-model.js');
  const graph = new OnnxGraphBuilder();
  const scales = graph.constant('scales', [4], Float32Array.of(1, 1, SCALE, SCALE));
  const nearest = { coordinate_transformation_mode: 'asymmetric', mode: 'nearest', nearest_mode: 'floor' };
  graph.node('Resize', ['input', '', scales], 'output', nearest);
  const path = join(folder, 'repeating.onnx');
  writeFileSync(path, encodeModel(graph.build('repeating')));
  return path;
}

function makeClip() {
  const path = join(folder, 'clip.mp4');
  const source =
    values.clip === undefined
      ? ['-f', 'lavfi', '-i', `mandelbrot=size=${width}x${height}:rate=25`]
      : ['-i', resolve(values.clip)];
  const encoder = ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'fast', '-crf', '16'];
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-nostdin',
    ...source,
    '-frames:v',
    String(frames),
    '-an',
    ...encoder,
    path,
  ]);
  return path;
}

/** The first frames of a clip, in a file of other contents, because a file that was processed before is skipped. */
function variant(clip, name, length) {
  const path = join(folder, `${name}.mp4`);
  const options = ['-c', 'copy', '-frames:v', String(length), '-metadata', `title=${name}`];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-i', clip, ...options, path]);
  return path;
}

/** Runs a job to its end. @returns CPU time in ms by stage */
async function job(program, model, clip) {
  const settings = ['encoder.nvenc=false', `encoder.preset=${values.preset}`, 'decoder.hardware=false'];
  const sets = settings.flatMap((setting) => ['--set', setting]);
  const { times, text } = await runTimedJob({
    ...{ program, folder, clip },
    args: ['--model', model, '--scale', String(SCALE), ...sets],
    nodeOptions: `--require ${join(root, 'bench/host/load-null-addon.cjs')}`,
  });
  if (!text.includes('Framekiln CUDA engine'))
    throw new Error(`The job did not use the null engine:\n${text}`);
  return times;
}

/** CPU time in ms of ffmpeg alone, decoding the source and encoding the frames of the finished file. */
function ownTimes(clip, output) {
  const finished = join(
    output,
    execFileSync('ls', [output], { encoding: 'utf8' })
      .split('\n')
      .find((name) => name.startsWith('long')),
  );
  const raw = join(folder, 'frames.yuv');
  const threads = ['-threads', String(Math.min(availableParallelism(), 16))];
  const decoded = cpuMs(['-i', clip, '-f', 'null', '-']);
  cpuMs(['-i', finished, '-map', '0:v:0', '-f', 'rawvideo', raw]);
  const size = `${width * SCALE}x${height * SCALE}`;
  const input = ['-f', 'rawvideo', '-pixel_format', 'yuv420p', '-video_size', size, '-i', raw];
  const encoded = cpuMs([
    ...input,
    '-c:v',
    'libx264',
    '-preset',
    values.preset,
    '-crf',
    '18',
    ...threads,
    '-f',
    'null',
    '-',
  ]);
  rmSync(raw);
  return { decoded: decoded / frames, encoded: encoded / frames };
}

function cpuMs(args) {
  const script = 'TIMEFORMAT="%U %S"; { time "$@" >/dev/null 2>/dev/null; } 2>&1';
  const command = [findProgram('ffmpeg'), '-nostdin', '-v', 'error', '-y', ...args];
  const [user, system] = execFileSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8' })
    .split(' ')
    .map(Number);
  return (user + system) * 1000;
}

function report(short, long, own) {
  const perFrame = (stage) => ((long.get(stage) ?? 0) - (short.get(stage) ?? 0)) / (frames - SHORT);
  const stages = [...long.keys()].sort();
  const total = stages.reduce((sum, stage) => sum + perFrame(stage), 0);
  console.log(
    `${width}x${height} to ${width * SCALE}x${height * SCALE}, ${frames} frames, preset ${values.preset}, load ${loadavg()[0].toFixed(1)}\n`,
  );
  console.log('| stage | CPU ms a frame |\n| --- | --- |');
  for (const stage of stages) console.log(`| ${stage} | ${perFrame(stage).toFixed(1)} |`);
  console.log(`| all | ${total.toFixed(1)} |`);
  console.log(`| ffmpeg alone: decoding the source | ${own.decoded.toFixed(1)} |`);
  console.log(`| ffmpeg alone: encoding these frames | ${own.encoded.toFixed(1)} |`);
  console.log(`| host, beside these two | ${(total - own.decoded - own.encoded).toFixed(1)} |`);
}

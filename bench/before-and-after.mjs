/**
 * How long a clip takes as a whole job with onnxruntime, and with the CPU engine at each precision, and how long 20 minutes
 * of 480p would take. All jobs run the real daemon, worker and ffmpeg in a new home, one after the other; onnxruntime is what runs
 * where the CPU engine is not installed. For the 20 minutes, the speed of --frames frames of the same clip, scaled to 854x480,
 * is multiplied; start and end of the job are added once.
 *
 *   node bench/before-and-after.mjs --clip clip.mp4 [--seconds 30] [--model realesr-general-x4v3] [--scale 2] [--frames 60]
 *     [--engines onnxruntime,exact,balanced,fast] [--report FILE]
 *
 * --seconds 0 leaves the clip itself out, --frames 0 the 480p.
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../dist/cli/format-table.js';
import { figure } from './figure.mjs';
import { writeVideo } from './jobs/video.mjs';
import { runWholeJob } from './jobs/whole-job.mjs';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    clip: { type: 'string' },
    seconds: { type: 'string', default: '30' },
    model: { type: 'string', default: 'realesr-general-x4v3' },
    scale: { type: 'string', default: '2' },
    frames: { type: 'string', default: '60' },
    engines: { type: 'string', default: 'onnxruntime,exact,balanced,fast' },
    report: { type: 'string' },
  },
});
if (values.clip === undefined) throw new Error('--clip names a video.');
const clip = resolve(values.clip);
const [seconds, frames] = [values.seconds, values.frames].map(Number);
/** 20 minutes of video at 30 frames a second. */
const LONG = { width: 854, height: 480, frames: 20 * 60 * 30 };
/** Frames of the first batch; a speed is that of the frames after it. */
const first = Math.min(30, Math.floor(frames / 2));

const folder = mkdtempSync(join(tmpdir(), 'framekiln-before-'));
const rows = [];
try {
  const withoutAddon = copyWithoutAddon();
  for (const engine of values.engines.split(',')) {
    const isOurs = engine !== 'onnxruntime';
    const options = {
      program: isOurs ? join(root, 'dist/main.js') : withoutAddon,
      precision: isOurs ? engine : 'auto',
    };
    const [load] = loadavg();
    const whole = seconds > 0 ? await job(options, 30, cutClip) : null;
    const long = frames > 0 ? await job(options, first, writeLong) : null;
    for (const { log } of [whole, long].filter(Boolean)) {
      if (log.includes('Framekiln CPU engine') !== isOurs)
        throw new Error(`The job did not run with ${engine}:\n${log}`);
    }
    rows.push({ engine, load, ...figuresOf(whole, long) });
    console.error(JSON.stringify(rows.at(-1)));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

console.log(
  `${basename(clip)}, ${seconds} s, ${values.model}, scale ${values.scale}, ${cpus().length} x ${cpus()[0].model.trim()}`,
);
const header = [
  'ENGINE',
  'CLIP, S',
  'CPU S',
  'BEFORE / AFTER',
  '480P, FRAMES/S',
  '20 MIN, H',
  'BEFORE / AFTER',
  'LOAD',
];
const [before] = rows;
const cells = rows.map((row) => [
  ...[row.engine, figure(row.clipSeconds, 1), figure(row.clipCpuSeconds, 1)],
  ...[figure(before.clipSeconds / row.clipSeconds, 2), figure(row.fps, 2), figure(row.hours, 1)],
  ...[figure(before.hours / row.hours, 2), figure(row.load, 1)],
]);
for (const line of formatTable(header, cells)) console.log(line);
if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(rows, null, 2)}\n`);

/** The program without the CPU engine, which then computes with onnxruntime. */
function copyWithoutAddon() {
  const copy = join(folder, 'program');
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  for (const name of ['node_modules', 'models']) symlinkSync(join(root, name), join(copy, name));
  return join(copy, 'dist/main.js');
}

function job({ program, precision }, firstFrames, writeInput) {
  const settings = [
    `recipe: { model: ${values.model}, scale: ${values.scale}, device: cpu }`,
    `batch: { firstFrames: ${firstFrames} }`,
    `engine: { precision: ${precision} }`,
  ];
  return runWholeJob({ program, firstFrames, settings, writeInput });
}

/** The beginning of the clip, encoded again, so that every job gets a file that it can cut anywhere. */
function cutClip(path) {
  const encoder = ['-an', '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'fast', '-crf', '12'];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-i', clip, '-t', values.seconds, ...encoder, path]);
}

function writeLong(path) {
  writeVideo({ clip, ...LONG }, frames, path);
}

function figuresOf(whole, long) {
  // What a job takes besides its frames is counted once.
  const aside = long === null || long.fps === null ? 0 : Math.max(0, long.ms / 1000 - frames / long.fps);
  return {
    clipSeconds: whole === null ? NaN : whole.ms / 1000,
    clipCpuSeconds: whole === null ? NaN : whole.cpuMs / 1000,
    fps: long?.fps ?? NaN,
    hours: (aside + LONG.frames / (long?.fps ?? NaN)) / 3600,
  };
}

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
 * Without --clip, the video is a fractal with noise, so no part of a frame can be reused, and the encoder takes longer. The bare
 * engine gets frames of the same video.
 */
import './no-telemetry.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { rounded } from './figure.mjs';
import { openBareEngine } from './jobs/bare-engine.mjs';
import { writeVideo } from './jobs/video.mjs';
import { runWholeJob } from './jobs/whole-job.mjs';

const root = resolve(import.meta.dirname, '..');
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

/** Share by which the bare engine may differ before and after. */
const MOST_DRIFT = 0.1;
const LEAST_FRAMES = 4;
if (!(frames >= LEAST_FRAMES)) throw new Error(`--frames must be at least ${LEAST_FRAMES}.`);
/** Frames of the first batch; the speed is measured between its end and the end of the job. */
const first = Math.min(30, Math.floor(frames / 2));

const video = { clip: values.clip, width, height };
const engine = await openBareEngine({
  ...{ root, model: values.model, scale, precision: values.precision, video },
  runs: Math.max(5, Math.round(frames / 4)),
});
const before = await engine.measure();
const job = await wholeJob(frames);
const after = await engine.measure();
const start = await wholeJob(first);
report({ before, after, job, start });

function wholeJob(length) {
  const batches = `firstFrames: ${first}${values.batch === 'auto' ? '' : `, frames: ${values.batch}`}`;
  return runWholeJob({
    program: resolve(values.program),
    firstFrames: first,
    settings: [
      `recipe: { model: ${values.model}, scale: ${scale} }`,
      `batch: { ${batches} }`,
      `engine: { precision: ${values.precision} }`,
    ],
    writeInput: (path) => writeVideo(video, length, path),
  });
}

function report({ before, after, job, start }) {
  const bare = { fps: (before.fps + after.fps) / 2, cpuMs: (before.cpuMs + after.cpuMs) / 2 };
  const frameMs = (job.cpuMs - start.cpuMs) / (frames - first);
  const drift = after.fps / before.fps - 1;
  const result = {
    machine: `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    what: `${values.model}, ${values.clip === undefined ? 'generated' : basename(values.clip)}, ${width}x${height}, scale ${scale}, ${frames} frames, batch ${values.batch}`,
    bareEngineFps: { before: rounded(before.fps), after: rounded(after.fps) },
    drift: rounded(drift),
    isDisturbed: Math.abs(drift) > MOST_DRIFT,
    wholeJobFps: rounded(job.fps ?? NaN),
    ratio: rounded((job.fps ?? NaN) / bare.fps),
    bareEngineCpuMs: { before: rounded(before.cpuMs), after: rounded(after.cpuMs) },
    wholeJobCpuMs: rounded(frameMs),
    ratioOfCpu: rounded(bare.cpuMs / frameMs),
    framesInferred: job.framesInferred,
    daemonPeakMegabytes: job.daemonPeakMegabytes,
    workerPeakMegabytes: job.workerPeakMegabytes,
  };
  mkdirSync(dirname(resolve(values.report)), { recursive: true });
  writeFileSync(values.report, `${JSON.stringify(result, null, 2)}\n`);
  for (const [name, value] of Object.entries(result))
    console.log(`${name.padEnd(22)}${typeof value === 'object' ? JSON.stringify(value) : value}`);
}

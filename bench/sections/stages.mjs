import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { figure } from '../figure.mjs';
import { openBareEngine } from '../jobs/bare-engine.mjs';
import { runTimedJob } from '../jobs/timed-job.mjs';
import { writeVideo } from '../jobs/video.mjs';

const HEADER = ['STAGE', 'ALONE, MS A FRAME', 'ALONE, CPU MS', 'IN THE JOB, CPU MS', 'SHARE OF THE JOB'];
const MODEL = 'realesr-general-x4v3';
const SCALE = 2;
const PRECISION = 'fast';
/** Length of the job that is subtracted, so that starts are not counted. */
const SHORT = 2;

/**
 * What a frame costs in each stage: alone, one after the other, and in a job, where they overlap.
 *
 * @param {{ root: string, sizes: readonly string[], frames: number, clip?: string | undefined }} options
 */
export async function measureStages({ root, sizes, frames, clip }) {
  if (!(frames > SHORT)) throw new Error(`--frames must be more than ${SHORT}.`);
  const tables = [];
  for (const size of sizes) tables.push({ size, ...(await measureSize({ root, size, frames, clip })) });
  return { header: HEADER, cells: tables.flatMap(cellsOf), data: tables };
}

async function measureSize({ root, size, frames, clip }) {
  const [width, height] = size.split('x').map(Number);
  const video = { clip: clip === undefined ? undefined : resolve(clip), width, height };
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-stages-'));
  try {
    const engine = await openBareEngine({
      ...{ root, model: MODEL, scale: SCALE, precision: PRECISION, video },
      runs: Math.max(5, Math.round(frames / 4)),
    });
    const before = await engine.measure();
    const job = (name, count) => runJob({ root, folder, video, name, count });
    // The first start probes the hardware.
    await job('first', SHORT);
    const short = await job('short', SHORT);
    const long = await job('long', frames);
    const after = await engine.measure();
    await engine.close();
    const finished = readdirSync(join(folder, 'output')).find((name) => name.startsWith('long'));
    const alone = stagesAlone({ folder, frames, output: join(folder, 'output', finished), width, height });
    alone.model = { ms: (1000 / before.fps + 1000 / after.fps) / 2, cpuMs: (before.cpuMs + after.cpuMs) / 2 };
    return rowsOf(alone, { short, long, frames });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runJob({ root, folder, video, name, count }) {
  const clip = join(folder, `${name}.mp4`);
  writeVideo(video, count, clip);
  const settings = ['encoder.nvenc=false', 'decoder.hardware=false', `engine.precision=${PRECISION}`];
  const recipe = ['--model', MODEL, '--scale', String(SCALE), '--set', 'recipe.device=cpu'];
  return runTimedJob({
    ...{ program: join(root, 'dist/main.js'), folder, clip },
    args: [...recipe, ...settings.flatMap((setting) => ['--set', setting])],
  });
}

/** The work of ffmpeg with nothing beside it; the difference between two lengths, for a frame. */
function stagesAlone({ folder, frames, output, width, height }) {
  const source = join(folder, 'long.mp4');
  const raw = join(folder, 'frames.yuv');
  timed(['-i', output, '-map', '0:v:0', '-f', 'rawvideo', raw]);
  const size = `${width * SCALE}x${height * SCALE}`;
  const rawInput = ['-f', 'rawvideo', '-pixel_format', 'yuv420p', '-video_size', size, '-i', raw];
  const threads = ['-threads', String(Math.min(availableParallelism(), 16))];
  const encoder = ['-c:v', 'libx264', '-preset', 'medium', '-crf', '18', ...threads];
  const aFrame = (args) => {
    const short = timed([...args.before, '-frames:v', String(SHORT), ...args.after]);
    const long = timed([...args.before, ...args.after]);
    const difference = (key) => (long[key] - short[key]) / (frames - SHORT);
    return { ms: difference('ms'), cpuMs: difference('cpuMs') };
  };
  const toNothing = ['-f', 'null', '-'];
  return {
    decode: aFrame({ before: ['-i', source], after: ['-pix_fmt', 'rgb24', ...toNothing] }),
    encode: aFrame({ before: rawInput, after: [...encoder, ...toNothing] }),
    verify: aFrame({ before: ['-i', output, '-map', '0:v:0'], after: toNothing }),
  };
}

function timed(args) {
  const script = 'TIMEFORMAT="%R %U %S"; { time "$@" >/dev/null 2>/dev/null; } 2>&1';
  const command = ['ffmpeg', '-nostdin', '-v', 'error', '-y', ...args];
  const [real, user, system] = execFileSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8' })
    .split(' ')
    .map(Number);
  return { ms: real * 1000, cpuMs: (user + system) * 1000 };
}

/** The stages by name: as they are alone, and as the processes and threads of a job are named. */
const STAGES = [
  ['model', 'model', ['worker, other threads']],
  ['decoding', 'decode', ['ffmpeg: decode']],
  ['encoding', 'encode', ['ffmpeg: encode']],
  ['verifying segments', 'verify', ['ffmpeg: verify segments']],
  ['final check', null, ['ffmpeg: final check']],
  ['frame index', null, ['ffmpeg: frame index']],
  ['main thread of the worker', null, ['worker, main thread']],
  ['daemon', null, ['program, main thread', 'program, other threads']],
];

function rowsOf(alone, { short, long, frames }) {
  const aFrame = (of) => (of(long) - of(short)) / (frames - SHORT);
  const inJob = (names) =>
    aFrame(({ times }) => names.reduce((sum, name) => sum + (times.get(name) ?? 0), 0));
  const rows = STAGES.map(([stage, key, names]) => ({
    stage,
    alone: alone[key] ?? null,
    jobCpuMs: inJob(names),
  }));
  const known = STAGES.flatMap(([, , names]) => names);
  const others = [...long.times.keys()].filter((name) => !known.includes(name));
  rows.push({ stage: 'other calls of ffmpeg', alone: null, jobCpuMs: inJob(others) });
  return { rows, jobMs: aFrame(({ ms }) => ms) };
}

function cellsOf({ size, rows, jobMs }) {
  const sum = (of) => rows.reduce((total, row) => total + (of(row) ?? 0), 0);
  const jobCpuMs = sum((row) => row.jobCpuMs);
  const cells = rows.map(({ stage, alone, jobCpuMs: cpuMs }) => [
    ...[`${size}: ${stage}`, figure(alone?.ms, 1), figure(alone?.cpuMs, 1), figure(cpuMs, 1)],
    figure((cpuMs / jobCpuMs) * 100, 0, ' %'),
  ]);
  const aloneMs = sum(({ alone }) => alone?.ms);
  const aloneCpuMs = sum(({ alone }) => alone?.cpuMs);
  cells.push([`${size}: all`, figure(aloneMs, 1), figure(aloneCpuMs, 1), figure(jobCpuMs, 1), '100 %']);
  cells.push([`${size}: a frame of the job takes ${figure(jobMs, 1, ' ms')}`, '', '', '', '']);
  return cells;
}

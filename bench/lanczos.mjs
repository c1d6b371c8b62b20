/**
 * Time of a whole job with `lanczos` against one ffmpeg command that does the same work with the same encoder settings, in
 * turn, so that both have the same load beside them. CPU seconds count all processes; they vary less than the wall clock on
 * a busy machine. All run with the niceness that Framekiln gives ffmpeg.
 *
 * Each round also takes two frames of the clip, which shows what is paid once and what each further frame costs.
 *
 *   node bench/lanczos.mjs [--clip clip.mp4] [--frames 60] [--scale 2] [--rounds 3] [--program dist/main.js …]
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { figure } from './figure.mjs';

const { values } = parseArgs({
  options: {
    clip: { type: 'string' },
    frames: { type: 'string', default: '60' },
    scale: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    program: { type: 'string', multiple: true, default: [resolve(import.meta.dirname, '../dist/main.js')] },
  },
});

const frames = Number(values.frames);
/** Frames of the short work, which is subtracted. */
const SHORT = 2;
if (!(frames > SHORT)) throw new Error(`--frames must be more than ${SHORT}.`);

const folder = mkdtempSync(join(tmpdir(), 'framekiln-lanczos-'));
try {
  const clip = join(folder, 'clip.mp4');
  const source =
    values.clip === undefined
      ? ['-f', 'lavfi', '-i', 'mandelbrot=size=1920x1080:rate=25']
      : ['-i', resolve(values.clip)];
  const encoder = ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'fast', '-crf', '16'];
  execFileSync('ffmpeg', ['-v', 'error', ...source, '-frames:v', values.frames, '-an', ...encoder, clip]);
  const clips = { short: variant(clip, 'short', ['-frames:v', String(SHORT)]), long: clip };
  const works = { ffmpeg: oneCommand };
  for (const program of values.program) works[program] = wholeJob(resolve(program), clips.short);
  const header = ['round', 'what', 'seconds', 'CPU seconds', 'ratio', 'ratio of CPU', 'load'];
  header.push('CPU s once', 'CPU ms a frame', 'ratio a frame');
  console.log(`| ${header.join(' | ')} |\n| ${header.map(() => '---').join(' | ')} |`);
  for (let round = 1; round <= Number(values.rounds); round++) {
    let first = null;
    for (const [name, work] of Object.entries(works)) {
      const [load] = loadavg();
      const short = measure(work(variant(clips.short, `${round}-short`)));
      const long = measure(work(variant(clips.long, `${round}-long`)));
      const frame = (long.cpu - short.cpu) / (frames - SHORT);
      const took = { ...long, frame, once: short.cpu - SHORT * frame };
      first ??= took;
      const ratios = [took.wall / first.wall, took.cpu / first.cpu];
      const parts = [took.once, took.frame * 1000, took.frame / first.frame];
      const figures = [took.wall, took.cpu, ...ratios, load, ...parts].map((value) => figure(value, 2));
      console.log(`| ${round} | ${name} | ${figures.join(' | ')} |`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function oneCommand(clip) {
  const positions = 'in_h_chr_pos=0:in_v_chr_pos=128:out_h_chr_pos=0:out_v_chr_pos=128';
  const filter = `scale=iw*${values.scale}:ih*${values.scale}:flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp:${positions}`;
  const encoder = ['-c:v', 'libx264', '-preset', 'medium', '-crf', '18'];
  const threads = ['-threads', String(Math.min(availableParallelism(), 16))];
  return [
    'ffmpeg',
    ...['-v', 'error', '-y', '-i', clip, '-vf', filter, ...encoder, ...threads, join(folder, 'one.mp4')],
  ];
}

/** A job in a home whose first start, which probes the hardware, is over. */
function wholeJob(program, clip) {
  const home = mkdtempSync(join(folder, 'home-'));
  const command = (path) => {
    const recipe = ['--model', 'lanczos', '--scale', values.scale, '--set', 'encoder.nvenc=false'];
    return [process.execPath, program, 'run', path, '--home', home, '--skip-checks', ...recipe];
  };
  measure(command(variant(clip, 'first')));
  return command;
}

/** The same frames in a file of other contents, because a file that was processed before is skipped. */
function variant(clip, name, options = []) {
  const path = join(folder, `${name}.mp4`);
  const title = ['-metadata', `title=${name}`];
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', clip, '-c', 'copy', ...options, ...title, path]);
  return path;
}

/** Wall clock and CPU time, in seconds, of a command with all of its processes. */
function measure(command) {
  const script = 'TIMEFORMAT="%R %U %S"; { time nice -n 10 "$@" >"$0" 2>&1; } 2>&1';
  const log = join(folder, 'log');
  try {
    const [wall, user, system] = execFileSync('bash', ['-c', script, log, ...command], { encoding: 'utf8' })
      .trim()
      .split(' ')
      .map(Number);
    return { wall, cpu: user + system };
  } catch (error) {
    throw new Error(`${command.join(' ')} failed:\n${readFileSync(log, 'utf8')}`, { cause: error });
  }
}

/**
 * Processes every file of a folder with `framekiln start --once`, and compares each source with its result by plain ffmpeg,
 * without Framekiln's own checks. Prints a Markdown table with one row per file.
 *
 *   node bench/media-table.mjs --folder DIR [--scale 2] [--only REGEX] [--skip REGEX] [--keep HOME] [--model lanczos]
 */
import './no-telemetry.mjs';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const main = resolve(import.meta.dirname, '../dist/main.js');
const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    scale: { type: 'string', default: '2' },
    model: { type: 'string', default: 'lanczos' },
    only: { type: 'string', default: '' },
    skip: { type: 'string', default: '^$' },
    keep: { type: 'string' },
  },
});
if (values.folder === undefined) throw new Error('--folder names the folder of videos.');
const folder = resolve(values.folder);
const home =
  values.keep === undefined ? mkdtempSync(join(tmpdir(), 'framekiln-media-')) : resolve(values.keep);
try {
  const names = readdirSync(folder)
    .filter((name) => new RegExp(values.only).test(name) && !new RegExp(values.skip).test(name))
    .sort();
  const { jobs, rejected } = await runHome(names);
  const rows = names.map((name) =>
    row(name, jobs.find((job) => job.file === name) ?? rejection(rejected, name)),
  );
  printTable(rows);
  const bad = rows.filter(([verdict]) => verdict === 'BAD').length;
  console.log(`\n${rows.length} files: ${rows.length - bad} correct or rejected with a reason, ${bad} not.`);
  process.exitCode = bad === 0 ? 0 : 1;
} finally {
  if (values.keep === undefined) rmSync(home, { recursive: true, force: true });
}

/** A file without a job, in the form of a failed job. */
function rejection(rejected, name) {
  const found = rejected.find(({ file }) => file === name);
  const error = found ?? { code: 'IGNORED', message: 'its name is not that of a video file' };
  return { state: 'rejected', error };
}

async function runHome(names) {
  mkdirSync(join(home, 'input'), { recursive: true });
  for (const name of names) copyFileSync(join(folder, name), join(home, 'input', name));
  const settings = {
    intake: { settleSeconds: 0.2 },
    recipe: { model: values.model, scale: Number(values.scale) },
    encoder: { preset: 'ultrafast', nvenc: false },
    attempts: 1,
  };
  writeFileSync(join(home, 'framekiln.yaml'), JSON.stringify(settings));
  const daemon = spawn(process.execPath, [main, 'start', '--once', '--home', home], { stdio: 'ignore' });
  await new Promise((end) => daemon.once('exit', end));
  const status = execFileSync(process.execPath, [main, 'status', '--json', '--home', home], {
    encoding: 'utf8',
  });
  return JSON.parse(status);
}

function row(name, job) {
  if (job.state !== 'done') {
    const verdict =
      job.error === null || /^(INTERNAL|VERIFICATION|FFMPEG)/.test(job.error.code) ? 'BAD' : 'rejected';
    return [
      verdict,
      name,
      `${job.error?.code ?? job.state}: ${job.error?.message ?? ''}`,
      '',
      '',
      '',
      '',
      '',
      '',
      '',
    ];
  }
  // With timestamp discontinuities, the expected times are those of ffmpeg without -copyts.
  const jumps =
    job.report?.remarks.some((remark) => remark.includes('timestamp discontinuities in the source')) === true;
  const source = look(join(folder, name), jumps ? [] : ['-copyts']);
  const result = look(job.output);
  const faults = [];
  const [a, b] = [source.decoded[0] ?? [], result.decoded[0] ?? []];
  if (a.length !== b.length) faults.push(`${a.length} frames became ${b.length}`);
  const from = (frames, i) => frames[i].at - frames[0].at;
  let worst = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++)
    worst = Math.max(worst, Math.abs(from(a, i) - from(b, i)));
  if (worst > Math.max(0.0011, source.tick)) faults.push(`a frame is ${(worst * 1000).toFixed(1)} ms off`);
  faults.push(...audioFaults(source, result));
  // RGB becomes YUV of limited range, with a new matrix and range.
  const rgb = /^(rgb|bgr|gbr|argb|abgr|0rgb|pal8)/.test(source.video.pix_fmt ?? '');
  for (const [what, was, is] of [
    ['rotation', 0, result.rotation],
    ['aspect', shape(source), shape(result)],
    ['matrix', rgb ? null : (source.video.color_space ?? null), result.video.color_space ?? null],
    ['primaries', source.video.color_primaries ?? null, result.video.color_primaries ?? null],
    ['transfer', source.video.color_transfer ?? null, result.video.color_transfer ?? null],
    ['range', rgb ? null : (source.video.color_range ?? 'tv'), result.video.color_range ?? 'tv'],
    ['chapters', source.chapters, result.chapters],
  ]) {
    if (was !== is && was !== null) faults.push(`${what} ${was} became ${is}`);
  }
  const notes = [job.note, ...(job.report?.remarks ?? [])].filter(Boolean);
  return [
    faults.length === 0 ? 'whole' : 'BAD',
    name,
    [...faults, ...notes].join('; '),
    `${a.length} → ${b.length}`,
    (worst * 1000).toFixed(2),
    `${source.kinds} → ${result.kinds}`,
    colors(source.video, result.video),
    `${source.rotation} → ${result.rotation}`,
    `${size(source)} → ${size(result)}`,
    `${source.video.pix_fmt} → ${result.video.codec_name} ${result.video.pix_fmt}`,
  ];
}

/** Checks that start and end of each audio track, relative to the video, differ by at most 40 ms from the source. */
function audioFaults(source, result) {
  const faults = [];
  for (let track = 1; track < source.decoded.length; track++) {
    const [was, is] = [source.decoded[track], result.decoded[track]];
    if (was.length === 0) continue;
    if (is === undefined || is.length === 0) {
      faults.push(`audio ${track} is missing`);
      continue;
    }
    const start = was[0].at - source.decoded[0][0].at - (is[0].at - result.decoded[0][0].at);
    const end = was.at(-1).end - source.decoded[0][0].at - (is.at(-1).end - result.decoded[0][0].at);
    if (Math.abs(start) > 0.04) faults.push(`audio ${track} starts ${(start * 1000).toFixed(0)} ms off`);
    if (Math.abs(end) > 0.04) faults.push(`audio ${track} ends ${(end * 1000).toFixed(0)} ms off`);
  }
  return faults;
}

function look(path, clock = ['-copyts']) {
  const probe = JSON.parse(
    execFileSync(
      'ffprobe',
      [
        '-loglevel',
        'quiet',
        '-print_format',
        'json',
        '-show_streams',
        '-show_format',
        '-show_chapters',
        path,
      ],
      { encoding: 'utf8' },
    ),
  );
  const videos = probe.streams.filter(
    (s) => s.codec_type === 'video' && s.disposition.attached_pic !== 1 && s.width > 0,
  );
  const area = (s) => s.width * s.height;
  const video = videos.reduce((best, next) => (area(next) > area(best) ? next : best));
  const sounds = probe.streams.filter((s) => s.codec_type === 'audio' && s.codec_name !== undefined);
  const [num, den] = (video.time_base ?? '1/1000').split('/').map(Number);
  return {
    video,
    tick: num / den,
    rotation: video.side_data_list?.find((entry) => entry.rotation !== undefined)?.rotation ?? 0,
    chapters: probe.chapters.length,
    kinds: probe.streams
      .map((s) => (s.disposition.attached_pic === 1 ? 'c' : (s.codec_type ?? '?')[0]))
      .sort()
      .join(''),
    decoded: [video, ...sounds].map((stream) => decode(path, stream.index, clock)),
  };
}

/** Start and end in seconds of every frame that plain ffmpeg decodes. */
function decode(path, index, clock) {
  const args = ['-loglevel', 'quiet', '-nostdin', ...clock, '-i', path, '-map', `0:${index}`];
  const { stdout } = spawnSync(
    'ffmpeg',
    [...args, '-fps_mode', 'passthrough', '-enc_time_base', '-1', '-f', 'framehash', '-hash', 'murmur3', '-'],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const [, num, den] = /^#tb 0: (\d+)\/(\d+)/m.exec(stdout) ?? [null, 1, 1];
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').map(Number))
    .map(([, , pts, duration]) => ({ at: (pts * num) / den, end: ((pts + duration) * num) / den }));
}

function turned({ rotation }) {
  return Math.abs(Math.round(rotation / 90)) % 2 === 1;
}

function size(file) {
  const sar = file.video.sample_aspect_ratio;
  return `${file.video.width}x${file.video.height}${sar === undefined || sar === '1:1' ? '' : ` (${sar})`}`;
}

/** Width over height as a viewer sees it, to one per cent: odd sizes become even ones. */
function shape(file) {
  const [num, den] = (file.video.sample_aspect_ratio ?? '1:1').split(':').map(Number);
  const ratio = (file.video.width * (num || 1)) / (file.video.height * (den || 1));
  return Number((turned(file) ? 1 / ratio : ratio).toFixed(2));
}

function colors(source, result) {
  const text = (v) =>
    [v.color_range, v.color_space, v.color_primaries, v.color_transfer].map((c) => c ?? '-').join('/');
  const [was, is] = [text(source), text(result)];
  return was === is ? was : `${was} → ${is}`;
}

function printTable(rows) {
  const header = [
    'verdict',
    'file',
    'said',
    'frames',
    'worst ms',
    'streams',
    'colour',
    'rotation',
    'size',
    'pixels',
  ];
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '/').replaceAll('\n', ' ')).join(' | ')} |`;
  console.log([line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n'));
}

/**
 * Time of each step of a split screen on the CPU, and the speed and error of detecting faces in fewer frames. Takes a
 * clip of two people and scales it to each size. Prints tables and writes bench/results/dual-face.json.
 *
 *   node bench/dual-face.mjs --clip FILE [--frames 90] [--sizes 640x480,1280x720] [--model blazeface-full-range]
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    clip: { type: 'string' },
    frames: { type: 'string', default: '90' },
    sizes: { type: 'string', default: '640x480,1280x720' },
    model: { type: 'string', default: 'blazeface-full-range' },
  },
});
if (values.clip === undefined) throw new Error('--clip is missing; name a video of two people.');
const skips = [1, 2, 3];
const limit = Number(values.frames);

const { splitScreen } = await import('./split-screens/split-screen.mjs');

const results = [];
for (const size of values.sizes.split(',')) results.push(await measure(...size.split('x').map(Number)));
mkdirSync(join(root, 'bench/results'), { recursive: true });
const report = { cpu: cpus()[0].model, cores: cpus().length, clip: values.clip.split('/').pop(), results };
writeFileSync(join(root, 'bench/results/dual-face.json'), `${JSON.stringify(report, null, 2)}\n`);

async function measure(width, height) {
  const frames = decode(width, height);
  const output = { width: 1920, height: 1080, model: values.model };
  let every;
  const rows = [];
  for (const detectEvery of skips) {
    const made = await splitScreen(frames, { width, height }, 25, { ...output, detectEvery });
    every ??= made;
    rows.push({ detectEvery, meanOffset: meanOffset(every.views, made.views) });
  }
  for (const row of rows) row.jobFps = wholeJob(frames, width, height, row.detectEvery);
  const { milliseconds, conclusion } = every;
  console.log(
    `\n${width}x${height}, ${frames.length} frames, ${values.model}: milliseconds per frame by step`,
  );
  console.table(Object.fromEntries(Object.entries(milliseconds).map(([name, ms]) => [name, ms.toFixed(2)])));
  console.log(conclusion);
  console.table(rows);
  return { width, height, frames: frames.length, millisecondsAFrame: milliseconds, rows };
}

/** Mean distance of the views from those of detection in every frame, in heights of the view. */
function meanOffset(wanted, found) {
  let offset = 0;
  let count = 0;
  for (const [i, views] of wanted.entries()) {
    for (const [pane, one] of views.panes.entries()) {
      const other = found[i].panes[pane] ?? null;
      if (one === null || other === null) continue;
      offset += Math.hypot(one.centerX - other.centerX, one.centerY - other.centerY) / one.height;
      count++;
    }
  }
  return (offset / count).toFixed(3);
}

/** Frames per second of a whole job, from the file in the input folder to the published video. */
function wholeJob(frames, width, height, detectEvery) {
  const home = mkdtempSync(join(tmpdir(), 'framekiln-bench-'));
  try {
    mkdirSync(join(home, 'input/dual-face'), { recursive: true });
    const clip = join(home, 'input/dual-face/clip.mp4');
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', '25', '-i', '-'];
    const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '10', '-pix_fmt', 'yuv420p'];
    execFileSync('ffmpeg', ['-v', 'error', ...raw, ...encoding, clip], { input: Buffer.concat(frames) });
    writeFileSync(`${clip}.recipe.yaml`, `detectEvery: ${detectEvery}\nmodel: ${values.model}\n`);
    writeFileSync(
      join(home, 'framekiln.yaml'),
      'intake: { settleSeconds: 0.2 }\nestimate: { measure: false }\n',
    );
    execFileSync(process.execPath, [join(root, 'dist/main.js'), 'start', '--once', '--home', home]);
    const status = execFileSync(process.execPath, [
      join(root, 'dist/main.js'),
      'status',
      '--json',
      '--home',
      home,
    ]);
    const [job] = JSON.parse(status).jobs;
    if (job?.state !== 'done') throw new Error(`The job did not succeed: ${JSON.stringify(job)}`);
    return Number(
      ((1000 * frames.length) / (Date.parse(job.finishedAt) - Date.parse(job.startedAt))).toFixed(2),
    );
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function decode(width, height) {
  const scale = `scale=${width}:${height}:force_original_aspect_ratio=increase,crop=${width}:${height}`;
  const raw = execFileSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-i',
      values.clip,
      '-frames:v',
      String(limit),
      '-vf',
      scale,
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      '-',
    ],
    { maxBuffer: 2 ** 31 - 1 },
  );
  const bytes = width * height * 3;
  return Array.from({ length: raw.length / bytes }, (_, i) => raw.subarray(i * bytes, (i + 1) * bytes));
}

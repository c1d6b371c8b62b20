/**
 * Counts the frames of real clips in which one face detector finds nothing, and in how many of these another one finds a
 * face: whether it is worth running both. Prints the CPU time of both per frame, too.
 *
 *   npm run build && node bench/second-detector.mjs --first DETECTOR.onnx --second DETECTOR.onnx [--every 4] VIDEO...
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { createOnnxEngine } from '../dist/inference/onnx-engine.js';
import { loadFaceDetector } from '../dist/pipelines/dual-face/detection/face-detector.js';
import { iou } from '../dist/pipelines/dual-face/tracking/box.js';

/** Score of a face that counts as found, and the lowest one that the tracker uses. */
const [FOUND, FAINT] = [0.7, 0.1];
const MAX_FRAMES = 60;

const text = { type: 'string' };
const { values, positionals: clips } = parseArgs({
  options: { first: text, second: text, every: { ...text, default: '4' } },
  allowPositionals: true,
});
const options = { device: 'cpu', engines: [createOnnxEngine('cpu')], threads: 1 };
const load = (path) => loadFaceDetector(readFileSync(path), path, options);
const [first, second] = [await load(values.first), await load(values.second)];
const rows = {};
for (const clip of clips) {
  const { frames, width, height } = readFrames(clip);
  const counts = { first: 0, second: 0, neither: 0, only: 0 };
  const milliseconds = { first: 0, second: 0 };
  const detect = async (name, detector, pixels) => {
    const before = process.cpuUsage().user;
    const faces = await detector.detect(pixels, width, height);
    milliseconds[name] += (process.cpuUsage().user - before) / 1000 / frames.length;
    return faces;
  };
  for (const pixels of frames) {
    const found = await detect('first', first, pixels);
    const others = (await detect('second', second, pixels)).filter(({ score }) => score >= FOUND);
    if (found.some(({ score }) => score >= FOUND)) counts.first++;
    else if (others.length > 0) counts.second++;
    else counts.neither++;
    counts.only += others.filter(
      ({ box }) => !found.some((each) => each.score >= FAINT && iou(each.box, box) > 0.3),
    ).length;
  }
  rows[basename(clip)] = {
    frames: frames.length,
    'first finds a face': counts.first,
    'only the second does': counts.second,
    neither: counts.neither,
    'faces only of the second': counts.only,
    'first (ms)': Math.round(milliseconds.first),
    'second (ms)': Math.round(milliseconds.second),
  };
}
console.table(rows);
await first.dispose();
await second.dispose();

function readFrames(clip) {
  const probe = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=width,height'];
  const [width, height] = execFileSync('ffprobe', [...probe, '-of', 'csv=p=0', clip], { encoding: 'utf8' })
    .trim()
    .split(',')
    .map(Number);
  const raw = execFileSync(
    'ffmpeg',
    [
      ...[
        '-v',
        'error',
        '-i',
        clip,
        '-vf',
        `select=not(mod(n\\,${values.every}))`,
        '-fps_mode',
        'passthrough',
      ],
      ...['-frames:v', String(MAX_FRAMES), '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    ],
    { maxBuffer: 2 ** 31 - 1 },
  );
  const bytes = width * height * 3;
  const frames = Array.from({ length: raw.length / bytes }, (_, i) =>
    raw.subarray(i * bytes, (i + 1) * bytes),
  );
  return { frames, width, height };
}

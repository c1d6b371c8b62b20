/**
 * Makes a labelled data set for `npm run bench:detectors`: it pastes frames of single-person videos, at random sizes and
 * positions, onto images without faces. The face in each source frame is located by two detectors from different
 * vendors, which must agree (IoU 0.7); the label is the mean of their boxes. This gives those two a small advantage.
 *
 *   node bench/label-faces.mjs --into DIR --first A.onnx --second B.onnx --faces DIR_OF_VIDEOS --background VIDEO [--without VIDEO …]
 *
 * `--faces`: videos of one person each; `--without`: videos without faces, whose frames are added unchanged.
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { createOnnxEngine } from '../dist/inference/onnx-engine.js';
import { seededRandom } from '../dist/lib/seeded-random.js';
import { loadFaceDetector } from '../dist/pipelines/dual-face/detection/face-detector.js';
import { iou } from '../dist/pipelines/dual-face/tracking/box.js';

const WIDTH = 1280;
const HEIGHT = 720;
const FRAMES = 60;
/** Range of face widths, as shares of the frame's width. */
const [SMALLEST, LARGEST] = [0.02, 0.2];
const AGREEMENT = 0.7;

const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    into: text,
    first: text,
    second: text,
    faces: text,
    background: text,
    without: { ...text, multiple: true, default: [] },
  },
});
for (const name of ['into', 'first', 'second', 'faces', 'background'])
  if (values[name] === undefined) throw new Error(`--${name} is missing.`);

const random = seededRandom(11);
const into = resolve(values.into);
mkdirSync(into, { recursive: true });
const labels = [];
const people = await readPeople();
const backgrounds = framesOf(values.background, FRAMES, `scale=${WIDTH}:${HEIGHT}`);
for (const [i, background] of backgrounds.entries()) await compose(`composed-${i}.png`, background);
for (const [i, path] of values.without.entries())
  for (const [j, { pixels, width, height }] of framesOf(path, 5).entries())
    await save(`without-${i}-${j}.png`, sharp(pixels, { raw: { width, height, channels: 3 } }), []);
writeFileSync(join(into, 'labels.json'), `${JSON.stringify({ frames: labels }, null, 1)}\n`);
const faces = labels.reduce((sum, frame) => sum + frame.faces.length, 0);
console.log(`${labels.length} frames with ${faces} faces written to ${into}`);

/** Evenly spaced frames of a video. */
function framesOf(path, count, filter = 'null') {
  const probe = ['-v', 'error', '-select_streams', 'v:0', '-count_frames', '-of', 'csv=p=0'];
  const entries = ['-show_entries', 'stream=width,height,nb_read_frames', path];
  const [width, height, total] = execFileSync('ffprobe', [...probe, ...entries], { encoding: 'utf8' })
    .trim()
    .split(',')
    .map(Number);
  const size = filter === 'null' ? { width, height } : { width: WIDTH, height: HEIGHT };
  const every = Math.max(1, Math.floor(total / count));
  const request = [
    '-vf',
    `select=not(mod(n\\,${every})),${filter}`,
    '-vsync',
    '0',
    '-frames:v',
    String(count),
  ];
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const bytes = execFileSync('ffmpeg', ['-v', 'error', '-i', path, ...request, ...raw], {
    maxBuffer: 2 ** 30,
  });
  const frameBytes = size.width * size.height * 3;
  return Array.from({ length: Math.floor(bytes.length / frameBytes) }, (_, i) => ({
    pixels: bytes.subarray(i * frameBytes, (i + 1) * frameBytes),
    ...size,
  }));
}

/** Frames with one face each, on whose position both detectors agree. */
async function readPeople() {
  const detectors = [];
  for (const path of [values.first, values.second]) {
    const options = { device: 'cpu', engines: [createOnnxEngine('cpu')], threads: 0 };
    detectors.push(
      await loadFaceDetector(readFileSync(path), path, { ...options, minScore: 0.5, enoughFaces: 0 }),
    );
  }
  const found = [];
  let left = 0;
  for (const name of readdirSync(values.faces).sort()) {
    if (!name.endsWith('.mkv')) continue;
    for (const frame of framesOf(join(values.faces, name), 3)) {
      const seen = [];
      for (const detector of detectors)
        seen.push(await detector.detect(frame.pixels, frame.width, frame.height));
      const [[first], [second]] = seen;
      if (seen.some(({ length }) => length !== 1) || iou(first.box, second.box) < AGREEMENT) {
        left++;
        continue;
      }
      const mean = (key) => (first.box[key] + second.box[key]) / 2;
      found.push({
        frame,
        box: { x: mean('x'), y: mean('y'), width: mean('width'), height: mean('height') },
      });
    }
  }
  for (const detector of detectors) await detector.dispose();
  console.log(`${found.length} frames of people; ${left} left out because the detectors disagree.`);
  return found;
}

/** Saves a frame with one to four people on a background, without overlap. */
async function compose(name, background) {
  const placed = [];
  const layers = [];
  const boxes = [];
  for (let n = 1 + Math.floor(random() * 4), attempts = 0; n > 0 && attempts < 100; attempts++) {
    const { frame, box } = people[Math.floor(random() * people.length)];
    const share = SMALLEST * (LARGEST / SMALLEST) ** random();
    const scale = (share * WIDTH) / box.width;
    const from = cutFrom(frame, box, scale);
    const [width, height] = [Math.round(from.width * scale), Math.round(from.height * scale)];
    if (width > WIDTH || height > HEIGHT) continue;
    const left = Math.floor(random() * (WIDTH - width + 1));
    const top = Math.floor(random() * (HEIGHT - height + 1));
    const area = { x: left, y: top, width, height };
    if (placed.some((other) => iou(other, area) > 0)) continue;
    placed.push(area);
    const raw = { width: frame.width, height: frame.height, channels: 3 };
    const cut = sharp(frame.pixels, { raw }).extract(from);
    const input = await cut.resize(width, height, { fit: 'fill' }).png().toBuffer();
    layers.push({ input, left, top });
    const [right, down] = [width / from.width, height / from.height];
    boxes.push({
      x: left + (box.x - from.left) * right,
      y: top + (box.y - from.top) * down,
      width: box.width * right,
      height: box.height * down,
    });
    n--;
  }
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 };
  await save(name, sharp(background.pixels, { raw }).composite(layers), boxes);
}

/** The part of a frame to paste: all of it if it fits at that scale, otherwise the face with a margin of 0.6 of its size. */
function cutFrom({ width, height }, box, scale) {
  if (width * scale <= WIDTH && height * scale <= HEIGHT) return { left: 0, top: 0, width, height };
  const left = Math.max(0, Math.round(box.x - 0.6 * box.width));
  const top = Math.max(0, Math.round(box.y - 0.6 * box.height));
  return {
    left,
    top,
    width: Math.min(width - left, Math.round(2.2 * box.width)),
    height: Math.min(height - top, Math.round(2.2 * box.height)),
  };
}

async function save(name, image, boxes) {
  await image.png({ compressionLevel: 1 }).toFile(join(into, name));
  const round = (value) => Math.round(value * 100) / 100;
  labels.push({
    file: name,
    faces: boxes.map(({ x, y, width, height }) => ({
      x: round(x),
      y: round(y),
      width: round(width),
      height: round(height),
    })),
  });
}

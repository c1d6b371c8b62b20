/**
 * Makes an 8-bit version of a face detector (bench/int8/quantise.mjs), and compares the two on clips: which faces both
 * find, how far their boxes are apart, how much the boxes jitter, and the CPU time of the bare network.
 *
 *   npm run build && node bench/int8-detector.mjs --model DETECTOR.onnx --into INT8.onnx --calibrate VIDEO,… --compare VIDEO,…
 *     [--ranges extreme|mean] [--every 4]
 *
 * `--ranges`: the range of an activation is the largest one of all calibration frames, or the mean of the frames.
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { decodeModel, encodeModel } from '../dist/inference/models/onnx-model.js';
import { createOnnxEngine } from '../dist/inference/onnx-engine.js';
import { loadFaceDetector } from '../dist/pipelines/dual-face/detection/face-detector.js';
import { iou } from '../dist/pipelines/dual-face/tracking/box.js';
import { quantise, quantisedNames } from './int8/quantise.mjs';

/** Frames of a clip that are used for calibration, and for comparison. */
const [CALIBRATION_FRAMES, COMPARED_FRAMES] = [6, 40];
/** Score of a face that counts as found. */
const FOUND = 0.6;
const ROUNDS = 200;

const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    ...{ model: text, into: text, calibrate: text, compare: text },
    ranges: { ...text, default: 'extreme' },
    every: { ...text, default: '4' },
  },
});
if (values.model === undefined || values.into === undefined || values.calibrate === undefined)
  throw new Error('--model, --into and --calibrate are needed.');

const model = readFileSync(values.model);
const inputs = await inputsOf(model, values.calibrate.split(','));
const ranges = await rangesOf(decodeModel(model, values.model), inputs);
const int8 = encodeModel(quantise(decodeModel(model, values.model), ranges));
writeFileSync(values.into, int8);
console.log(`${inputs.length} calibration inputs; ${model.length} bytes before, ${int8.length} after`);
await printSpeed(inputs);
if (values.compare !== undefined) await printComparison();

/** What the detector hands to the network for frames of the clips. */
async function inputsOf(bytes, clips) {
  const seen = [];
  const onnx = createOnnxEngine('cpu');
  const recorder = {
    ...onnx,
    load: async (...args) => {
      const loaded = await onnx.load(...args);
      return {
        maxBatch: 1,
        run: (tensor) => (seen.push(tensor), loaded.run(tensor)),
        dispose: () => loaded.dispose(),
      };
    },
  };
  const detector = await loadFaceDetector(bytes, 'model', { device: 'cpu', engines: [recorder], threads: 1 });
  seen.length = 0;
  for (const clip of clips) {
    const { frames, width, height } = readFrames(clip, CALIBRATION_FRAMES, 7);
    for (const pixels of frames) await detector.detect(pixels, width, height);
  }
  await detector.dispose();
  return seen;
}

/** Runs the network with all its activations as outputs. */
async function rangesOf(decoded, tensors) {
  const names = [...quantisedNames(decoded)];
  const given = new Set([...decoded.graph.input, ...decoded.graph.output].map(({ name }) => name));
  const output = [
    ...decoded.graph.output,
    ...names
      .filter((name) => !given.has(name))
      .map((name) => ({ name, type: { tensorType: { elemType: 1 } } })),
  ];
  const session = await InferenceSession.create(
    encodeModel({ ...decoded, graph: { ...decoded.graph, output } }),
    { logSeverityLevel: 3, intraOpNumThreads: 1 },
  );
  const [inputName] = session.inputNames;
  const found = new Map(names.map((name) => [name, []]));
  for (const { data, shape } of tensors) {
    const results = await session.run({ [inputName]: new Tensor('float32', data, shape) });
    for (const name of names) {
      let [low, high] = [Infinity, -Infinity];
      for (const value of name === inputName ? data : results[name].data)
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      found.get(name).push({ low, high });
    }
  }
  await session.release();
  const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  const [lowest, highest] =
    values.ranges === 'mean' ? [mean, mean] : [(all) => Math.min(...all), (all) => Math.max(...all)];
  return new Map(
    [...found].map(([name, each]) => [
      name,
      { low: lowest(each.map(({ low }) => low)), high: highest(each.map(({ high }) => high)) },
    ]),
  );
}

/** CPU time of the bare networks, in turn, so that a busy machine disturbs both. */
async function printSpeed(tensors) {
  const sessions = {};
  for (const [name, bytes] of Object.entries({ float32: model, int8 }))
    sessions[name] = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const times = { float32: [], int8: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const { data, shape } = tensors[round % tensors.length];
    for (const [name, session] of Object.entries(sessions)) {
      const feeds = { [session.inputNames[0]]: new Tensor('float32', data, shape) };
      const before = process.cpuUsage();
      const start = performance.now();
      await session.run(feeds);
      const { user, system } = process.cpuUsage(before);
      times[name].push({
        shape: shape.join('x'),
        wall: performance.now() - start,
        cpu: (user + system) / 1000,
      });
    }
  }
  const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)].toFixed(2);
  const rows = Object.entries(times).map(([name, all]) => ({
    network: name,
    'CPU ms (median)': median(all.map(({ cpu }) => cpu)),
    'wall ms (median)': median(all.map(({ wall }) => wall)),
    inputs: [...new Set(all.map(({ shape }) => shape))].join(', '),
  }));
  console.table(rows);
}

async function printComparison() {
  const options = { device: 'cpu', engines: [createOnnxEngine('cpu')], threads: 1 };
  const detectors = [
    await loadFaceDetector(model, 'float32', options),
    await loadFaceDetector(int8, 'int8', options),
  ];
  const rows = {};
  for (const clip of values.compare.split(',')) {
    const { frames, width, height } = readFrames(clip, COMPARED_FRAMES, Number(values.every));
    const counts = { both: 0, lost: 0, new: 0 };
    const overlaps = [];
    const heights = [];
    const tracks = [[], []];
    for (const pixels of frames) {
      const [faces, others] = await Promise.all(
        detectors.map(async (detector) =>
          (await detector.detect(pixels, width, height)).filter(({ score }) => score >= FOUND),
        ),
      );
      const pairs = faces.map((face) => ({
        face,
        other: others.find(({ box }) => iou(box, face.box) >= 0.5),
      }));
      for (const { face, other } of pairs) {
        if (other === undefined) {
          counts.lost++;
          continue;
        }
        counts.both++;
        overlaps.push(iou(face.box, other.box));
        heights.push(Math.abs(other.box.height / face.box.height - 1));
      }
      counts.new += others.filter(({ box }) => faces.every((face) => iou(face.box, box) < 0.5)).length;
      for (const [i, [first]] of [faces, others].entries()) tracks[i].push(first?.box ?? null);
    }
    const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / Math.max(1, numbers.length);
    rows[basename(clip)] = {
      frames: frames.length,
      ...counts,
      'mean IoU': mean(overlaps).toFixed(3),
      'least IoU': Math.min(1, ...overlaps).toFixed(3),
      'heights differ': `${(100 * mean(heights)).toFixed(1)} %`,
      'jitter (px)': tracks.map((track) => jitterOf(track).toFixed(2)).join(' / '),
    };
  }
  console.table(rows);
  for (const detector of detectors) await detector.dispose();
}

/** Root mean square of the second difference of the position over the root of six, as in docs/decisions/0011. */
function jitterOf(track) {
  const steps = [];
  for (let i = 2; i < track.length; i++) {
    const [a, b, c] = track.slice(i - 2, i + 1);
    if (a === null || b === null || c === null) continue;
    steps.push((a.x - 2 * b.x + c.x) ** 2, (a.y - 2 * b.y + c.y) ** 2);
  }
  return Math.sqrt(steps.reduce((sum, each) => sum + each, 0) / Math.max(1, steps.length) / 6);
}

function readFrames(path, count, every) {
  const probe = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=width,height',
    '-of',
    'csv=p=0',
  ];
  const [width, height] = execFileSync('ffprobe', [...probe, path], { encoding: 'utf8' })
    .trim()
    .split(',')
    .map(Number);
  const raw = execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-i', path, '-vf', `select=not(mod(n\\,${every}))`, '-vsync', '0'],
      ...['-frames:v', String(count), '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    ],
    { maxBuffer: 2 ** 30 },
  );
  const bytes = width * height * 3;
  const frames = Array.from({ length: raw.length / bytes }, (_, i) =>
    raw.subarray(i * bytes, (i + 1) * bytes),
  );
  return { frames, width, height };
}

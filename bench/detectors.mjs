/**
 * Accuracy and speed of face detectors on labelled frames. Prints a table, or JSON with --json.
 *
 *   npm run bench:detectors -- LABELS [--model NAME_OR_FILE …] [--device auto|gpu|cpu] [--json]
 *
 * LABELS is a JSON file of images and the faces in them, in pixels; image paths are relative to it:
 * { "frames": [{ "file": "a.png", "faces": [{ "x": 10, "y": 20, "width": 30, "height": 40 }] }] }
 * bench/label-faces.mjs makes such a data set. Without --model, every installed face detector of the model list is run.
 */
import './no-telemetry.mjs';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { formatTable } from '../dist/cli/format-table.js';
import { availableEngines } from '../dist/inference/available-engines.js';
import { findModel, listModels } from '../dist/inference/models/find-model.js';
import { readManifest } from '../dist/inference/models/manifest.js';
import { loadFaceDetector } from '../dist/pipelines/dual-face/detection/face-detector.js';
import { iou } from '../dist/pipelines/dual-face/tracking/box.js';
import { measureDetector, MIN_IOU, MIN_SCORE, SIZES } from './measure-detector.mjs';

/** The detector also searches overlapping windows of a frame in which it found fewer faces than `enoughFaces`. */
const MODES = [
  { windows: 'never', enoughFaces: 0 },
  { windows: 'fewer than 2 seen', enoughFaces: 2 },
  { windows: 'always', enoughFaces: Infinity },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', multiple: true },
    device: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
  },
});
const [labelsFile] = positionals;
if (labelsFile === undefined)
  throw new Error('Name the file of the labels, as in: npm run bench:detectors -- LABELS');
if (!['auto', 'gpu', 'cpu'].includes(values.device)) throw new Error('--device is auto, gpu or cpu.');

const frames = await readFrames(resolve(labelsFile));
const rows = [];
for (const file of await chosenModels()) rows.push(...(await measureModel(file)));
if (rows.length === 0)
  throw new Error(
    'No face detector is installed; download one with: framekiln models pull blazeface-full-range',
  );
if (values.json) console.log(JSON.stringify(rows, null, 2));
else printTable();

async function chosenModels() {
  const models = join(import.meta.dirname, '../models');
  const manifest = await readManifest(join(models, 'manifest.json'));
  const installed = async () =>
    (await listModels([models], manifest))
      .filter(({ entry, path }) => entry.purpose === 'face-detector' && path !== null)
      .map(({ entry }) => entry.name);
  const names = values.model ?? (await installed());
  return Promise.all(names.map((name) => findModel(name, [models], manifest, 'face-detector')));
}

async function measureModel({ name, path }) {
  const model = readFileSync(path);
  const measured = [];
  for (const { windows, enoughFaces } of MODES) {
    const options = { device: values.device, engines: availableEngines(), threads: 0, enoughFaces };
    const detector = await loadFaceDetector(model, name, options);
    try {
      const result = await measureDetector(detector, frames, { iou, now: () => performance.now() });
      measured.push({ model: name, windows, engine: detector.summary, ...result });
    } finally {
      await detector.dispose();
    }
  }
  return measured;
}

async function readFrames(path) {
  const labels = JSON.parse(readFileSync(path, 'utf8'));
  return Promise.all(
    labels.frames.map(async ({ file, faces }) => {
      const image = sharp(resolve(dirname(path), file))
        .removeAlpha()
        .toColourspace('srgb')
        .raw();
      const { data, info } = await image.toBuffer({ resolveWithObject: true });
      return { pixels: data, width: info.width, height: info.height, faces };
    }),
  );
}

function printTable() {
  const percent = (share) => (share === null ? '-' : `${(share * 100).toFixed(1)} %`);
  const header = [
    ...['DETECTOR', 'WINDOWS', 'RECALL'],
    ...SIZES.map(({ name }) => `RECALL ${name.toUpperCase()}`),
    ...['PRECISION', 'MEAN IOU', 'MS PER FRAME'],
  ];
  const cells = rows.map((row) => [
    ...[row.model, row.windows, percent(row.recall), ...row.recallBySize.map(percent)],
    ...[percent(row.precision), row.meanIou.toFixed(2), row.medianMs.toFixed(1)],
  ]);
  for (const line of formatTable(header, cells)) console.log(line);
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  const [{ frames: frameCount, faces }] = rows;
  console.log(
    `${plural(frameCount, 'frame')}, ${plural(faces, 'face')}; scores from ${MIN_SCORE}, IoU from ${MIN_IOU}; sizes are widths relative to the frame`,
  );
}

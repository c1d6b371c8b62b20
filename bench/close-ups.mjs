/**
 * How near the close-ups of a split screen come to the truth, with and without a model. Takes clips of one person each, shrinks
 * them (by four unless `--shrink` says otherwise), and compares the pane of the small clip with that of the original. Prints a table; `--sheet` writes an
 * image of the panes: enlarged, enhanced, original.
 *
 *   npm run build && node bench/close-ups.mjs --clips A.mkv,B.mkv [--frames 5] [--shrink 4] [--model NAME] [--sheet FILE.png]
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { availableEngines } from '../dist/inference/available-engines.js';
import { findModel } from '../dist/inference/models/find-model.js';
import { readManifest } from '../dist/inference/models/manifest.js';
import { Screen } from '../dist/pipelines/dual-face/composition/screen.js';
import { OptionalEnhancer } from '../dist/pipelines/dual-face/enhancement/optional-enhancer.js';

const { values } = parseArgs({
  options: {
    clips: { type: 'string' },
    frames: { type: 'string', default: '5' },
    model: { type: 'string', default: 'realesr-general-x4v3' },
    shrink: { type: 'string', default: '4' },
    sheet: { type: 'string' },
  },
});
if (values.clips === undefined) throw new Error('--clips is missing; name clips of one person each.');
const SHRUNK = Number(values.shrink);
const LARGE = { width: 640, height: 480, pixelFormat: 'rgb24' };
const SMALL = { ...LARGE, width: LARGE.width / SHRUNK, height: LARGE.height / SHRUNK };
const SCREEN = { width: 960, height: 540, pixelFormat: 'rgb24' };
/** Head and shoulders in the clips of shared/media/faces. */
const VIEW = { centerX: 300, centerY: 190, height: 330 };
const { signal } = new globalThis.AbortController();

const models = resolve(import.meta.dirname, '../models');
const manifest = await readManifest(join(models, 'manifest.json'));
const enhancer = new OptionalEnhancer(
  {
    enhancer: await findModel(values.model, [models], manifest, 'upscale'),
    ...{ tile: null, threads: 0, precision: 'fast', engines: availableEngines() },
    onStepDown: (reason) => console.error(reason),
  },
  { device: 'cpu' },
  { from: SMALL, to: SCREEN, pixelAspect: 1 },
);
const rows = {};
const panes = [];
for (const clip of values.clips.split(',')) rows[clip.split('/').pop()] = await compare(clip);
console.log((await enhancer.open()).summary);
console.table(rows);
if (values.sheet !== undefined) await writeSheet(panes, values.sheet);
await enhancer.close();

async function compare(clip) {
  const [large, small] = [LARGE, SMALL].map((format) => decode(clip, format));
  const sums = { enlarged: 0, enhanced: 0, enlargedSharpness: 0, enhancedSharpness: 0, ms: 0 };
  for (const [i, truthFrame] of large.entries()) {
    const truth = draw(LARGE, truthFrame, VIEW);
    const view = {
      centerX: VIEW.centerX / SHRUNK,
      centerY: VIEW.centerY / SHRUNK,
      height: VIEW.height / SHRUNK,
    };
    const screen = new Screen({ from: SMALL, to: SCREEN, pixelAspect: 1 }, {});
    const views = { layout: 'side-by-side', panes: [view, null], whole: 0 };
    const startedAtMs = performance.now();
    const frame = { number: i, pixels: small[i] };
    const closeUps = await enhancer.closeUps(frame, screen.shown(views), 1, signal);
    sums.ms += performance.now() - startedAtMs;
    const enhanced = pane(screen.draw(frame, views, closeUps).pixels);
    const enlarged = draw(SMALL, small[i], view);
    for (const [name, image] of Object.entries({ enlarged, enhanced })) {
      sums[name] += psnr(image, truth);
      sums[`${name}Sharpness`] += sharpness(image) / sharpness(truth);
    }
    if (i === 0) panes.push([enlarged, enhanced, truth]);
  }
  const mean = (key) => sums[key] / large.length;
  return {
    'PSNR enlarged (dB)': mean('enlarged').toFixed(2),
    'PSNR enhanced (dB)': mean('enhanced').toFixed(2),
    'sharpness enlarged': mean('enlargedSharpness').toFixed(2),
    'sharpness enhanced': mean('enhancedSharpness').toFixed(2),
    'ms a pane': mean('ms').toFixed(0),
  };
}

function draw(from, pixels, view) {
  const screen = new Screen({ from, to: SCREEN, pixelAspect: 1 }, {});
  return pane(
    screen.draw({ number: 0, pixels }, { layout: 'side-by-side', panes: [view, null], whole: 0 }).pixels,
  );
}

/** The left half of a screen. */
function pane(pixels) {
  const row = SCREEN.width * 3;
  return Buffer.concat(
    Array.from({ length: SCREEN.height }, (_, y) => pixels.subarray(y * row, y * row + row / 2)),
  );
}

function psnr(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return 10 * Math.log10((255 ** 2 * a.length) / sum);
}

/** Mean difference of horizontal neighbours: 1 is that of the original. */
function sharpness(image) {
  let sum = 0;
  for (let i = 3; i < image.length; i++) sum += Math.abs(image[i] - image[i - 3]);
  return sum / image.length;
}

function decode(clip, { width, height }) {
  const input = ['-v', 'error', '-i', clip, '-frames:v', values.frames];
  const output = [
    '-vf',
    `scale=${width}:${height}:flags=lanczos`,
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-',
  ];
  const raw = execFileSync('ffmpeg', [...input, ...output], { maxBuffer: 2 ** 30 });
  const bytes = width * height * 3;
  return Array.from({ length: raw.length / bytes }, (_, i) => raw.subarray(i * bytes, (i + 1) * bytes));
}

async function writeSheet(rowsOfPanes, path) {
  const [width, height] = [SCREEN.width / 2, SCREEN.height];
  const placed = rowsOfPanes.flatMap((row, y) =>
    row.map((input, x) => ({
      ...{ input, raw: { width, height, channels: 3 }, left: x * width, top: y * height },
    })),
  );
  const canvas = { width: 3 * width, height: rowsOfPanes.length * height, channels: 3, background: 'black' };
  await sharp({ create: canvas }).composite(placed).png().toFile(path);
}

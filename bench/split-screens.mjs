/**
 * Makes split screens of composed scenes with known faces (bench/split-screens/scenes.mjs) with the real pipeline, and
 * prints how well the panes show them: the share of pane frames that are well framed, pane frames with the wrong person
 * (outside 5 frames after a cut), frames in which both panes show the same person, the longest time in frames in which a
 * pane was not well framed, what the cameras do between cuts, and by how much
 * the heads in the two panes differ (median).
 *
 *   npm run build && node bench/split-screens.mjs --faces DIR_OF_VIDEOS [--truth DETECTOR.onnx] [--profile VIDEO] [--only REGEX] [--sheets DIR] [--report FILE]
 *   node bench/split-screens.mjs --clip VIDEO --sheets DIR [--frames 200] [--offset 0]
 *
 * `--truth`: the detector that finds the actors' faces in their clips, another one than that of the pipeline. `--sheets`:
 * writes a contact sheet of each scene: source above result. `--profile`: test_cif_P_CABAC_slice.264, in which somebody turns
 * to a full profile. `--report`: writes the table as JSON, as bench/results/split-screens.json. `--clip`: no scenes, only the sheet of a real video, and how many panes show a face that is well framed.
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readActors } from './split-screens/actors.mjs';
import { compose } from './split-screens/compose.mjs';
import { contactSheet } from './split-screens/contact-sheet.mjs';
import { isWellFramed, measure } from './split-screens/measure.mjs';
import { actorsIn, RATE, SCENES, SIZE } from './split-screens/scenes.mjs';
import { splitScreen } from './split-screens/split-screen.mjs';
import { createOnnxEngine } from '../dist/inference/onnx-engine.js';
import { loadFaceDetector } from '../dist/pipelines/dual-face/detection/face-detector.js';

const root = resolve(import.meta.dirname, '..');
const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    faces: text,
    truth: { ...text, default: join(root, 'models/blazeface-full-range.onnx') },
    only: { ...text, default: '' },
    sheets: text,
    profile: text,
    report: text,
    clip: text,
    frames: { ...text, default: '200' },
    offset: { ...text, default: '0' },
    recipe: { ...text, default: '{}' },
  },
});
const recipe = JSON.parse(values.recipe);
if (values.sheets !== undefined) mkdirSync(values.sheets, { recursive: true });
if (values.clip !== undefined) await showClip();
else if (values.faces !== undefined) await measureScenes();
else throw new Error('--faces names the folder of the single-person clips, or --clip a video.');

async function measureScenes() {
  const options = { device: 'cpu', engines: [createOnnxEngine('cpu')], threads: 1 };
  const detector = await loadFaceDetector(readFileSync(values.truth), values.truth, options);
  const actors = await readActors(values.faces, values.profile, detector);
  await detector.dispose();
  const rows = {};
  for (const [name, scene] of Object.entries(SCENES)) {
    if (!new RegExp(values.only).test(name)) continue;
    if ([...actorsIn(scene)].some((id) => actors[id] === undefined)) continue;
    const composed = Array.from({ length: scene.frames }, (_, i) => compose(scene.at(i), i, actors, SIZE));
    const pixels = composed.map((each) => each.pixels);
    const made = await splitScreen(pixels, SIZE, RATE, { ...recipe, ...scene.recipe });
    const frames = composed.map(({ shots }, i) => ({ shots, views: made.views[i] }));
    const scores = measure(scene, frames, made.geometryOf, RATE);
    rows[name] = {
      frames: scene.frames,
      'well framed': `${(100 * scores.framed).toFixed(1)} %`,
      'wrong person': scores.wrong,
      'both the same': scores.duplicates,
      'longest miss': scores.longestMiss,
      jumps: scores.jumps,
      'fastest (heights/s)': scores.fastest.toFixed(2),
      reversals: scores.reversals,
      'heads differ': `${(100 * scores.unequal).toFixed(0)} %`,
      'analysis, models in it, direction, drawing (ms)': Object.values(made.milliseconds)
        .map((each) => each.toFixed(1))
        .join(', '),
    };
    if (values.sheets !== undefined)
      await contactSheet(pixels, SIZE, made, join(values.sheets, `${name.replaceAll(/\W+/g, '-')}.png`));
  }
  console.table(rows);
  if (values.report === undefined) return;
  const machine = { cpu: cpus()[0].model, cores: availableParallelism() };
  writeFileSync(values.report, `${JSON.stringify({ ...machine, scenes: rows }, null, 2)}\n`);
}

/** How many panes with a view of a face show one, as the detector `--truth` sees it, well framed. */
async function framedShare(frames, { width, height }, { views, geometryOf }) {
  const options = { device: 'cpu', engines: [createOnnxEngine('cpu')], threads: 1 };
  const detector = await loadFaceDetector(readFileSync(values.truth), values.truth, options);
  const counts = { panes: 0, 'well framed': 0, 'frames without a face': 0 };
  for (const [i, pixels] of frames.entries()) {
    const faces = (await detector.detect(pixels, width, height)).filter(({ score }) => score > 0.6);
    if (faces.length === 0) counts['frames without a face']++;
    const { layout, panes, whole } = views[i];
    const geometry = geometryOf(layout, panes.length);
    for (const view of whole === 1 ? [] : panes.filter((each) => each !== null)) {
      counts.panes++;
      if (faces.some(({ box }) => isWellFramed(view, box, geometry))) counts['well framed']++;
    }
  }
  await detector.dispose();
  return counts;
}

async function showClip() {
  const probe = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=width,height,r_frame_rate',
  ];
  const [width, height, rate] = execFileSync('ffprobe', [...probe, '-of', 'csv=p=0', values.clip], {
    encoding: 'utf8',
  })
    .trim()
    .split(',');
  const [num, den] = rate.split('/').map(Number);
  const size = { width: Number(width), height: Number(height) };
  const raw = execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-ss', values.offset, '-i', values.clip, '-frames:v', values.frames],
      ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    ],
    { maxBuffer: 2 ** 31 - 1 },
  );
  const bytes = size.width * size.height * 3;
  const pixels = Array.from({ length: raw.length / bytes }, (_, i) =>
    raw.subarray(i * bytes, (i + 1) * bytes),
  );
  const made = await splitScreen(pixels, size, num / den, recipe);
  console.log(made.conclusion, made.milliseconds, await framedShare(pixels, size, made));
  await contactSheet(pixels, size, made, join(values.sheets, `${basename(values.clip)}.png`));
}

/**
 * Makes split screens with `layout: speaker` of composed scenes in which it is known who speaks
 * (bench/split-screens/speaking-scenes.mjs), and prints the share of the spoken frames that show the speaker, the number of
 * changes of person between cuts and how many there should be, and by how many frames the latest and the earliest change miss
 * the start of a turn (in a pause before it, any time is right). `silent`: the share without audio, by mouths alone.
 *
 *   npm run build && node bench/speakers.mjs --faces DIR_OF_VIDEOS --talker VIDEO --truth DETECTOR.onnx [--only REGEX] [--sheets DIR]
 *
 * `--talker`: a video of somebody who talks, with a face in the first 180 frames. `--truth`: a detector that finds the
 * corners of the mouth.
 */
import './no-telemetry.mjs';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { CLIPS, readActor } from './split-screens/actors.mjs';
import { compose } from './split-screens/compose.mjs';
import { contactSheet } from './split-screens/contact-sheet.mjs';
import { subjectOf } from './split-screens/measure.mjs';
import { RATE, SIZE } from './split-screens/scenes.mjs';
import { loudnessOf, openingOf, SPEAKING_SCENES } from './split-screens/speaking-scenes.mjs';
import { splitScreen } from './split-screens/split-screen.mjs';
import { createOnnxEngine } from '../dist/inference/onnx-engine.js';
import { loadFaceDetector } from '../dist/pipelines/dual-face/detection/face-detector.js';

const text = { type: 'string' };
const { values } = parseArgs({
  options: { faces: text, talker: text, truth: text, only: { ...text, default: '' }, sheets: text },
});
const TALKER_FRAMES = 180;
if (values.sheets !== undefined) mkdirSync(values.sheets, { recursive: true });
const options = { device: 'cpu', engines: [createOnnxEngine('cpu')], threads: 1 };
const detector = await loadFaceDetector(readFileSync(values.truth), values.truth, options);
const actors = {};
for (const [id, clip] of Object.entries(CLIPS)) actors[id] = await readActor(values.faces, clip, detector);
actors.F = await readActor(dirname(values.talker), basename(values.talker), detector, {
  ...{ count: TALKER_FRAMES, skip: false },
});
await detector.dispose();

const rows = {};
for (const [name, scene] of Object.entries(SPEAKING_SCENES)) {
  if (!new RegExp(values.only).test(name)) continue;
  const frames = Array.from({ length: scene.frames }, (_, i) => {
    const people = scene.people(i).map((each) => ({ ...each, opening: openingOf(scene, each.id, i, RATE) }));
    return compose([{ weight: 1, set: 0, people }], i, actors, SIZE);
  });
  const pixels = frames.map((each) => each.pixels);
  const loudness = Float32Array.from(frames, (_, i) => loudnessOf(scene, i));
  const recipe = { layout: 'speaker' };
  const made = await splitScreen(pixels, SIZE, RATE, recipe, loudness);
  const silent = await splitScreen(pixels, SIZE, RATE, recipe);
  const shown = shownIn(made, frames);
  rows[name] = {
    frames: scene.frames,
    right: percent(rightShare(scene, shown)),
    changes: changesOf(scene, shown).length,
    'changes wanted': wantedChanges(scene),
    ...latencies(scene, shown),
    silent: percent(rightShare(scene, shownIn(silent, frames))),
    'silent changes': changesOf(scene, shownIn(silent, frames)).length,
  };
  if (values.sheets !== undefined)
    await contactSheet(pixels, SIZE, made, join(values.sheets, `${name.replaceAll(/\W+/g, '-')}.png`));
}
console.table(rows);

/** Who is shown in each frame; null: nobody, or the whole image. */
function shownIn({ views, geometryOf }, frames) {
  return views.map(({ layout, panes, whole }, i) =>
    whole === 1
      ? null
      : subjectOf(panes[0] ?? null, frames[i].shots[0].faces, geometryOf(layout, panes.length)),
  );
}

function rightShare({ turns }, shown) {
  const spoken = turns.flatMap(({ who, from, to }) => shown.slice(from, to).map((each) => each === who));
  return spoken.filter(Boolean).length / spoken.length;
}

function changesOf({ cuts = [] }, shown) {
  return shown.flatMap((who, i) => (i > 0 && who !== shown[i - 1] && !cuts.includes(i) ? [i] : []));
}

function wantedChanges({ turns, cuts = [] }) {
  return turns.filter(({ who, from }, i) => i > 0 && who !== turns[i - 1].who && !cuts.includes(from)).length;
}

/** Frames from the start of a turn to the change, and from the change to the end of the turn before, if it comes too early. */
function latencies({ turns }, shown) {
  let [latest, earliest] = [0, 0];
  for (const [i, { who, from }] of turns.entries()) {
    const before = turns[i - 1];
    if (before === undefined || before.who === who) continue;
    const late = shown.slice(from).indexOf(who);
    latest = Math.max(latest, late === -1 ? Infinity : late);
    const early = shown.slice(before.from, before.to).lastIndexOf(before.who);
    earliest = Math.max(earliest, before.to - before.from - 1 - early);
  }
  return { 'latest change': latest, 'earliest change': -earliest };
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

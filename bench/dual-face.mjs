/**
 * Time of each stage of a split screen on the CPU, and the speed and error of detecting faces in fewer frames. Takes a
 * clip of two people and scales it to each size. Prints tables and writes bench/results/dual-face.json.
 *
 *   node bench/dual-face.mjs --clip FILE [--frames 90] [--sizes 640x480,1280x720] [--model blazeface-full-range]
 */
import './no-telemetry.mjs';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const dist = (path) => import(join(root, 'dist', path));
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

const { createOnnxEngine } = await dist('inference/onnx-engine.js');
const { loadFaceDetector } = await dist('pipelines/dual-face/detection/face-detector.js');
const { FaceEmbedder } = await dist('pipelines/dual-face/identity/face-embedder.js');
const { identify, isSettling, FIRST_IDENTITIES } = await dist('pipelines/dual-face/identity/identify.js');
const { interpolatePeople } = await dist('pipelines/dual-face/key-frames.js');
const { direct, FIRST_DIRECTION } = await dist('pipelines/dual-face/direction/director.js');
const { Screen } = await dist('pipelines/dual-face/composition/screen.js');
const { detectCut } = await dist('pipelines/dual-face/camera/cut-detector.js');
const { ByteTracker } = await dist('pipelines/dual-face/tracking/byte-tracker.js');
const { iou } = await dist('pipelines/dual-face/tracking/box.js');
const { FIRST_STATE } = await dist('pipelines/dual-face/state.js');
const { writeState } = await dist('pipelines/dual-face/stored-state.js');

const engines = [createOnnxEngine('cpu')];
const file = (name) => join(root, 'models', `${name}.onnx`);
const detector = await loadFaceDetector(readFileSync(file(values.model)), values.model, {
  ...{ device: 'cpu', engines, threads: 0 },
});
const embedder = new FaceEmbedder({
  readModel: () => readFileSync(file('face-recognition')),
  ...{ device: 'cpu', engines, threads: 0 },
});

const results = [];
for (const size of values.sizes.split(',')) results.push(await measure(...size.split('x').map(Number)));
await detector.dispose();
await embedder.dispose();
mkdirSync(join(root, 'bench/results'), { recursive: true });
const report = { cpu: cpus()[0].model, cores: cpus().length, clip: values.clip.split('/').pop(), results };
writeFileSync(join(root, 'bench/results/dual-face.json'), `${JSON.stringify(report, null, 2)}\n`);

async function measure(width, height) {
  const frames = decode(width, height);
  const stages = { cut: 0, detect: 0, identify: 0, draw: 0 };
  const timed = async (stage, work) => {
    const before = performance.now();
    const result = await work();
    stages[stage] += (performance.now() - before) / frames.length;
    return result;
  };
  const from = { width, height, pixelFormat: 'rgb24' };
  const to = { width: 1920, height: 1080, pixelFormat: 'rgb24' };
  const screen = new Screen({ from, to, pixelAspect: 1 }, 'side-by-side');
  await detector.detect(frames[0], width, height);
  let cut = null;
  const faces = [];
  for (const frame of frames) {
    cut = (await timed('cut', () => detectCut(cut, frame, from))).state;
    faces.push(await timed('detect', () => detector.detect(frame, width, height)));
  }
  let every;
  const rows = [];
  for (const skip of skips) {
    const run = await follow(frames, faces, skip, width, height, skip === 1 ? timed : (_, work) => work());
    every ??= run;
    rows.push({ detectEvery: skip, ...boxError(every.people, run.people) });
  }
  let direction = FIRST_DIRECTION;
  for (const [i, people] of every.people.entries()) {
    const scene = {
      frame: i + 1,
      people,
      isNewShot: i === 0,
      isSettling: isSettling({ shotFrame: 1 }, i + 1),
    };
    const recipe = { layout: 'side-by-side', single: 'full', missing: 'wide' };
    const options = { geometry: screen.paneGeometry, framesPerSecond: 25, recipe };
    const { views, state } = direct(direction, scene, options);
    direction = state;
    await timed('draw', () => screen.draw({ number: i, pixels: frames[i] }, views));
  }
  const stateBytes = writeState({
    ...FIRST_STATE,
    ...{ frames: frames.length, cut, tracker: every.tracker, identity: every.identity, direction },
  }).length;
  for (const row of rows) row.jobFps = wholeJob(frames, width, height, row.detectEvery);
  const { comparisons, enrolments } = every.identity.counts;
  console.log(
    `\n${width}x${height}, ${frames.length} frames, ${values.model}: milliseconds per frame by stage`,
  );
  console.table(Object.fromEntries(Object.entries(stages).map(([name, ms]) => [name, ms.toFixed(2)])));
  console.log(`enrolments: ${enrolments}, comparisons: ${comparisons}; state ${stateBytes} bytes`);
  console.table(rows);
  return { width, height, frames: frames.length, millisecondsAFrame: stages, stateBytes, rows };
}

/** The people of every frame, with face detection in every n-th. */
async function follow(frames, faces, skip, width, height, timed) {
  const tracker = new ByteTracker();
  let identity = FIRST_IDENTITIES;
  const people = [];
  let last = -1;
  for (const [i, frame] of frames.entries()) {
    if (i % skip !== 0 && i !== frames.length - 1) continue;
    const before = identity;
    const look = async ({ box }) => {
      const face = faces[i].find((each) => iou(each.box, box) > 0.4);
      return face === undefined ? null : embedder.embed(frame, width, height, face);
    };
    const analysed = () => ({ frame: i + 1, faces: tracker.update(faces[i]), isNewShot: i === 0 });
    identity = await timed('identify', () => identify(before, analysed(), look));
    for (let between = last + 1; between < i; between++)
      people.push(interpolatePeople(before.people, identity.people, (between - last) / (i - last)));
    people.push(identity.people);
    last = i;
  }
  return { people, identity, tracker: tracker.snapshot() };
}

/** Mean difference of the boxes from those of detection in every frame. */
function boxError(wanted, found) {
  let overlap = 0;
  let offset = 0;
  let count = 0;
  for (const [i, people] of wanted.entries()) {
    for (const { id, box } of people) {
      const other = found[i]?.find((each) => each.id === id)?.box;
      if (other === undefined) continue;
      overlap += iou(box, other);
      offset += Math.hypot(box.x - other.x, box.y - other.y) / box.height;
      count++;
    }
  }
  return { meanIou: (overlap / count).toFixed(3), offsetInFaces: (offset / count).toFixed(3) };
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

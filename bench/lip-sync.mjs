/**
 * Time of lip-sync jobs, with the real program, a generated network of the layout of Wav2Lip (6 G multiplications for a face), and
 * a generated speech. Prints CPU seconds (user and system, with all child processes) beside the wall clock. Then the time for a
 * face with each batch size, and for blending.
 *
 *   npm run build && node bench/lip-sync.mjs --clip FILE --detector DETECTOR.onnx [--seconds 5] [--layers 18] [--only stream]
 *
 * `--only stream`: nothing but the time to the first segment of a speech that arrives as fast as it is spoken, against waiting for all of it.
 * `--layers`: convolutions of 64 to 64 channels at 96x96, 0.34 G multiplications each.
 */
import './no-telemetry.mjs';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { availableEngines } from '../dist/inference/available-engines.js';
import { findModel } from '../dist/inference/models/find-model.js';
import { OnnxGraphBuilder } from '../dist/inference/models/onnx-graph-builder.js';
import { encodeModel } from '../dist/inference/models/onnx-model.js';
import { blendFace, FaceMasks, readFace } from '../dist/pipelines/lip-sync/face-image.js';
import { MouthModel } from '../dist/pipelines/lip-sync/mouth-model.js';

const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    clip: text,
    detector: text,
    seconds: { ...text, default: '5' },
    layers: { ...text, default: '18' },
    only: text,
  },
});
const MAIN = resolve(import.meta.dirname, '../dist/main.js');
const CHANNELS = 64;
const home = mkdtempSync(join(tmpdir(), 'framekiln-bench-'));
try {
  const model = join(home, 'models/wav2lip.onnx');
  prepare(model);
  if (values.only !== 'stream') {
    console.table(jobs());
    console.table(await batches(model));
    console.table(await blending());
  }
  console.table(await firstSegments());
} finally {
  rmSync(home, { recursive: true, force: true });
}

function prepare(model) {
  for (const folder of ['models', 'speech', 'input']) mkdirSync(join(home, folder));
  writeFileSync(model, network(Number(values.layers)));
  for (const name of ['first', 'second'])
    execFileSync('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', `anoisesrc=d=${values.seconds}:a=0.3:s=${name.length}`],
      join(home, `speech/${name}.wav`),
    ]);
}

/** Whole jobs, each in a folder of its own, so that only the cache is shared. */
function jobs() {
  const rows = {};
  const row = (name, speech, keys) => {
    rows[name] = job(name, speech, keys);
  };
  row('first run', 'first', {});
  row('second speech, faces known', 'second', {});
  row('frameSkip 2', 'second', { frameSkip: 2 });
  row('frameSkip 3', 'second', { frameSkip: 3 });
  row('frameSkip 3, latency low', 'second', { frameSkip: 3, latency: 'low' });
  return rows;
}

function job(name, speech, keys) {
  const folder = join(home, 'input/lip-sync', name.replaceAll(/\W/g, '-'));
  mkdirSync(folder, { recursive: true });
  const video = join(folder, `clip${extname(values.clip)}`);
  copyFileSync(values.clip, video);
  copyFileSync(join(home, 'speech', `${speech}.wav`), join(folder, 'clip.wav'));
  writeFileSync(`${video}.recipe.yaml`, JSON.stringify({ detector: resolve(values.detector), ...keys }));
  writeFileSync(
    join(home, 'framekiln.yaml'),
    'intake: { settleSeconds: 0.2 }\nestimate: { measure: false }\npage: { enabled: false }\n',
  );
  const { stderr } = spawnSync(
    'bash',
    ['-c', `time -p ${process.execPath} ${MAIN} start --once --home ${home} > /dev/null 2> ${home}/errors`],
    { encoding: 'utf8' },
  );
  const time = (key) => Number(new RegExp(`^${key} (.+)$`, 'm').exec(stderr)?.[1]);
  const log = readFileSync(join(home, 'logs/framekiln.log'), 'utf8').trim().split('\n');
  const said = (pattern) => log.findLast((line) => pattern.test(line))?.match(pattern)?.[1] ?? '?';
  return {
    'wall s': time('real'),
    'CPU s': Math.round((time('user') + time('sys')) * 10) / 10,
    'job s': said(/done in (\S+ \S+):/),
    faces: said(/a face speaks in (.*)$/),
  };
}

/** Seconds from the first byte of a speech that arrives in real time to the first segment, and to the finished video. */
async function firstSegments() {
  const recipe = { pipeline: 'lip-sync', detector: resolve(values.detector) };
  writeFileSync(
    join(home, 'framekiln.yaml'),
    JSON.stringify({ recipe, estimate: { measure: false }, page: { enabled: false } }),
  );
  const rows = {};
  // The first run also probes the machine, so it is not in the table.
  await firstSegment({ isStreamed: false, name: 'second' });
  for (const name of ['faces not known', 'faces known', 'faces known, again'])
    for (const isStreamed of [false, true]) {
      if (name === 'faces not known')
        rmSync(join(home, '.framekiln/analyses'), { recursive: true, force: true });
      const row = `${name}, ${isStreamed ? 'streamed' : 'after the whole speech'}`;
      rows[row] = await firstSegment({ isStreamed, name: 'first' });
    }
  return rows;
}

async function firstSegment({ isStreamed, name }) {
  const speech = readFileSync(join(home, `speech/${name}.wav`));
  const video = join(home, `clip-${Math.random()}${extname(values.clip)}`);
  copyFileSync(values.clip, video);
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10;
  const arriving = join(home, 'arriving.wav');
  const program = (audio, stdin) =>
    spawn(process.execPath, [MAIN, 'run', video, '--audio', audio, '--skip-checks', '--home', home], {
      stdio: [stdin, 'ignore', 'inherit'],
    });
  const running = isStreamed ? program('-', 'pipe') : null;
  const steps = Number(values.seconds) * 20;
  const arrived = (async () => {
    for (let step = 0; step < steps; step++) {
      await delay(startedAt + step * 50 - performance.now());
      const [from, to] = [step, step + 1].map((part) => Math.round((speech.length * part) / steps));
      running?.stdin.write(speech.subarray(from, to));
    }
    await delay(startedAt + steps * 50 - performance.now());
    running?.stdin.end();
  })();
  if (!isStreamed) {
    await arrived;
    writeFileSync(arriving, speech);
  }
  const child = running ?? program(arriving, 'ignore');
  let first = null;
  const look = setInterval(() => {
    if (first === null && hasSegment()) first = seconds();
  }, 20);
  await once(child, 'exit');
  clearInterval(look);
  await arrived;
  return { 'first segment s': first, 'finished s': seconds() };
}

function hasSegment() {
  const jobs = join(home, '.framekiln/jobs');
  return (existsSync(jobs) ? readdirSync(jobs) : []).some((id) => {
    const segments = join(jobs, id, 'segments');
    return existsSync(segments) && readdirSync(segments).some((name) => name.endsWith('.mp4'));
  });
}

/** Time for a face with each batch size. */
async function batches(path) {
  const options = { device: 'cpu', engines: availableEngines(), threads: 0, tile: null };
  const model = await findModel(path, [], { models: [] }, 'lip-sync');
  const mouth = await MouthModel.load({ ...options, model, onStepDown: console.error }, 'cpu');
  const inputs = Array.from({ length: 16 }, (_, i) =>
    new Float32Array(7 * 96 * 96).map((_each, at) => ((at * (i + 1)) % 97) / 97),
  );
  const rows = {};
  for (const atOnce of [1, 2, 4, 8, 16]) {
    await mouth.draw(inputs, atOnce);
    const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
    for (let i = 0; i < 3; i++) await mouth.draw(inputs, atOnce);
    const { user, system } = process.cpuUsage(cpu);
    rows[`${atOnce} at once`] = {
      'ms a face': round((performance.now() - startedAt) / 48),
      'CPU ms a face': round((user + system) / 48_000),
    };
  }
  await mouth.dispose();
  return rows;
}

/** Our blending in place beside that of sharp, which copies the frame. */
async function blending() {
  const format = { width: 1920, height: 1080, pixelFormat: 'rgb24' };
  const pixels = Buffer.alloc(format.width * format.height * 3, 99);
  const rows = {};
  for (const edge of [120, 240, 480]) {
    const box = { x: 400, y: 300, width: edge, height: Math.round(edge * 1.2) };
    const masks = new FaceMasks();
    const face = readFace(pixels, format, box);
    const drawn = await sharp(Buffer.alloc(96 * 96 * 4, 120), { raw: { width: 96, height: 96, channels: 4 } })
      .resize(box.width, box.height, { fit: 'fill' })
      .raw()
      .toBuffer();
    const raw = { raw: { width: box.width, height: box.height, channels: 4 } };
    rows[`face of ${box.width}x${box.height} in 1080p`] = {
      'read ms': await timed(() => readFace(pixels, format, box)),
      'blend ms': await timed(() => blendFace(pixels, format, box, face, masks.of(box.width, box.height))),
      'sharp composite ms': await timed(() =>
        sharp(pixels, { raw: { width: format.width, height: format.height, channels: 3 } })
          .composite([{ input: drawn, ...raw, left: box.x, top: box.y }])
          .raw()
          .toBuffer(),
      ),
    };
  }
  return rows;
}

async function timed(act) {
  for (let i = 0; i < 3; i++) await act();
  const startedAt = performance.now();
  for (let i = 0; i < 20; i++) await act();
  return round((performance.now() - startedAt) / 20);
}

function round(value) {
  return Math.round(value * 100) / 100;
}

/** Returns the face as it is: what the convolutions compute is multiplied by a number near 0. */
function network(layers) {
  const graph = new OnnxGraphBuilder();
  const weights = (count) => Float32Array.from({ length: count }, (_, i) => (((i * 7919) % 101) - 50) / 5000);
  const convolution = (input, output, from, to) => {
    const kernel = graph.constant(`${output}.w`, [to, from, 3, 3], weights(to * from * 9));
    graph.node('Conv', [input, kernel], `${output}.sum`, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
    graph.node('Relu', [`${output}.sum`], output);
  };
  convolution('faces', 'c0', 6, CHANNELS);
  for (let i = 1; i <= layers; i++) convolution(`c${i - 1}`, `c${i}`, CHANNELS, CHANNELS);
  convolution(`c${layers}`, 'drawn', CHANNELS, 3);
  const heard = graph.constant('heard', [1, 1, 80, 16], weights(80 * 16));
  graph.node('Conv', ['mel', heard], 'energy', { kernel_shape: [80, 16] });
  graph.node('Mul', ['drawn', 'energy'], 'spoken');
  graph.node('Mul', ['spoken', graph.constant('little', [1], Float32Array.of(1e-6))], 'change');
  const [starts, ends, axes] = [[3], [6], [1]].map((list, i) => graph.integers(`part${i}`, list));
  graph.node('Slice', ['faces', starts, ends, axes], 'face');
  graph.node('Add', ['face', 'change'], 'output');
  const model = graph.build('work', ['unused'], ['batch', 3, 96, 96]);
  const input = [
    ['mel', 1, 80, 16],
    ['faces', 6, 96, 96],
  ].map(([name, ...edges]) => ({
    name,
    type: {
      tensorType: {
        elemType: 1,
        shape: { dim: [{ dimParam: 'batch' }, ...edges.map((dimValue) => ({ dimValue }))] },
      },
    },
  }));
  return encodeModel({ ...model, graph: { ...model.graph, input } });
}

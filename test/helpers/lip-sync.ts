import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { ffmpeg } from './clips.ts';
import { failPointFolder } from './fail-points.ts';
import { makeHome, readLog, run, start } from './framekiln.ts';
import { sharedMedia, sharedModels } from './shared-media.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { OnnxGraphBuilder, type ValueShape } from '../../src/inference/models/onnx-graph-builder.ts';
import { encodeModel, FLOAT32, type OnnxValueInfo } from '../../src/inference/models/onnx-model.ts';

/** Rows and columns of the drawn face that `talkingModel` fills. */
export const MOUTH = { top: 66, bottom: 86, left: 30, right: 66 } as const;

/**
 * A model of the layout of Wav2Lip without training: it returns the face as it is, and in the place of the mouth a grey that
 * is the mean of the first two columns of the spectrogram, from black for silence to white.
 *
 * @param batch the only batch size; absent: any
 */
export function talkingModel(batch: number | string = 'batch'): Uint8Array {
  const graph = new OnnxGraphBuilder();
  const weights = Float32Array.from({ length: 80 * 16 }, (_, i) => (i % 16 < 2 ? 1 / (8 * 160) : 0));
  const kernel = [
    graph.constant('w', [1, 1, 80, 16], weights),
    graph.constant('b', [1], Float32Array.of(0.5)),
  ];
  graph.node('Conv', ['mel', ...kernel], 'energy', { kernel_shape: [80, 16] });
  const mask = Float32Array.from({ length: 96 * 96 }, (_, i) => {
    const [row, column] = [Math.floor(i / 96), i % 96];
    return Number(row >= MOUTH.top && row < MOUTH.bottom && column >= MOUTH.left && column < MOUTH.right);
  });
  const [starts, ends, axes] = [[3], [6], [1]].map((values, i) => graph.integers(`part${i}`, values));
  graph.node('Slice', ['faces', starts ?? '', ends ?? '', axes ?? ''], 'face');
  graph.node(
    'Mul',
    [
      'face',
      graph.constant(
        'skin',
        [1, 1, 96, 96],
        mask.map((value) => 1 - value),
      ),
    ],
    'kept',
  );
  graph.node('Mul', ['energy', graph.constant('mouth', [1, 1, 96, 96], mask)], 'spoken');
  graph.node('Add', ['kept', 'spoken'], 'output');
  const model = graph.build('talking', ['unused'], [batch, 3, 96, 96]);
  const input = [valueOf('mel', [batch, 1, 80, 16]), valueOf('faces', [batch, 6, 96, 96])];
  return encodeModel({ ...model, graph: { ...model.graph, input } });
}

function valueOf(name: string, shape: ValueShape): OnnxValueInfo {
  const dim = shape.map((edge) => (typeof edge === 'number' ? { dimValue: edge } : { dimParam: edge }));
  return { name, type: { tensorType: { elemType: FLOAT32, shape: { dim } } } };
}

/** Makes a sound like speech: a hissing voice with syllables of uneven loudness, and pauses. */
export function makeSpeech(path: string, seconds: number, seed = 1): void {
  const syllables = `pow(0.5+0.5*sin(2*PI*2.3*t+${seed})\\,2)*(0.6+0.4*sin(2*PI*0.7*t+${2 * seed}))`;
  const pauses = `(0.02+gt(sin(2*PI*0.4*t+${seed})\\,-0.7))`;
  const voice = `(random(0)-0.5+0.2*sin(2*PI*140*t)+0.1*sin(2*PI*700*t))`;
  const sound = `0.4*(0.01+${syllables}*${pauses})*${voice}`;
  ffmpeg('-f', 'lavfi', '-i', `aevalsrc='${sound}':s=44100:d=${seconds}`, path);
}

/** Makes a clip of one face from the shared media, 320x240 at 12.5 frames a second. */
export function makeFaceClip(path: string, seconds: number): void {
  const source = ['-stream_loop', '-1', '-i', sharedMedia('faces/student.mkv')];
  const encoding = ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'veryfast', '-an'];
  ffmpeg(...source, '-vf', 'fps=12.5,crop=320:240:145:20', '-t', String(seconds), ...encoding, path);
}

/** A home with a face that is to speak: `anna.mp4` of 2 seconds and a speech of 3 seconds beside it. */
export function lipSyncHome(keys: Record<string, unknown> = {}): string {
  const home = makeHome(temporaryFolder());
  const input = join(home, 'input/lip-sync');
  mkdirSync(input);
  writeFileSync(join(home, 'models/wav2lip.onnx'), talkingModel());
  makeFaceClip(join(input, 'anna.mp4'), 2);
  makeSpeech(join(input, 'anna.wav'), 3);
  const detector = sharedModels('yunet_n_640_640.onnx');
  writeFileSync(join(input, 'anna.mp4.recipe.yaml'), JSON.stringify({ detector, ...keys }));
  return home;
}

export function lipSyncOutput(home: string): string {
  return join(home, 'output/lip-sync/anna.mp4');
}

/** Kills the job at each of these points, in order, and lets it finish. @returns the home */
export async function finishAfterKills(
  kills: readonly (readonly [FailPoint, number])[],
  keys: Record<string, unknown> = {},
): Promise<string> {
  const home = lipSyncHome(keys);
  const points = failPointFolder(join(home, 'points'));
  const once = ['start', '--once', '--home', home];
  for (const [name, hit] of kills) {
    points.arm(`${name} ${hit} kill-group`);
    await start(once, points.environment).ended;
    if (!points.hasFired(name)) throw new Error(`${name} was not reached.`);
  }
  const { status } = run(once);
  if (status !== 0) throw new Error(`The job did not finish: ${readLog(home)}`);
  return home;
}

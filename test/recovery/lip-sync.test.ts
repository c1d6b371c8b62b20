import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run, start, tracedFrames } from '../helpers/framekiln.ts';
import { makeFaceClip, makeSpeech, MOUTH, talkingModel } from '../helpers/lip-sync.ts';
import { sharedModels, whyNoSharedMedia } from '../helpers/shared-media.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { tinySrvgg } from '../helpers/tiny-models.ts';

/* A video and a speech become a video in which the mouth moves with the speech. The model is one of the test. */

const SLOW = { tags: ['slow'], timeout: 400_000 };
const WIDTH = 640;
const HEIGHT = 480;
const RATE = 12.5;
/** Samples per second that the energy of the speech is computed from. */
const SOUND_RATE = 8000;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A home with a video of `seconds` and a speech of 5 seconds beside it. */
function homeWithVideo(seconds: number, keys: Record<string, unknown> = {}): string {
  const home = makeHome(temporaryFolder());
  const input = join(home, 'input/lip-sync');
  mkdirSync(input);
  writeFileSync(join(home, 'models/wav2lip.onnx'), talkingModel());
  makeFaceClip(join(input, 'anna.mp4'), seconds);
  makeSpeech(join(input, 'anna.wav'), 5);
  const detector = sharedModels('yunet_n_640_640.onnx');
  writeFileSync(join(input, 'anna.mp4.recipe.yaml'), JSON.stringify({ detector, ...keys }));
  return home;
}

const once = (home: string): string[] => ['start', '--once', '--home', home];
const outputOf = (home: string, name = 'anna.mp4'): string => join(home, 'output/lip-sync', name);

function decode(path: string, ...args: string[]): Buffer {
  return execFileSync('ffmpeg', ['-v', 'error', '-i', path, ...args, 'pipe:1'], { maxBuffer: 1e9 });
}

/** The mean brightness of the mouth in each frame. */
function mouths(home: string): number[] {
  const { boxes } = JSON.parse(readFileSync(join(home, '.framekiln/reports/1.lip-sync.json'), 'utf8')) as {
    boxes: readonly Box[];
  };
  const frames = decode(outputOf(home), '-pix_fmt', 'gray', '-f', 'rawvideo');
  return boxes.map(({ x, y, width, height }, frame) => {
    let [sum, count] = [0, 0];
    for (let row = MOUTH.top + 3; row < MOUTH.bottom - 3; row++)
      for (let column = MOUTH.left + 3; column < MOUTH.right - 3; column++) {
        const [left, top] = [x + (column * width) / 96, y + (row * height) / 96].map(Math.round);
        sum += frames[frame * WIDTH * HEIGHT + (top ?? 0) * WIDTH + (left ?? 0)] ?? 0;
        count++;
      }
    return sum / count;
  });
}

/** The energy of the audio of a finished file in decibels, around the time of each frame. */
function energies(path: string, count: number, lateSeconds: number): number[] {
  const bytes = decode(path, '-map', '0:a', '-ac', '1', '-ar', String(SOUND_RATE), '-f', 'f32le');
  const samples = new Float32Array(Uint8Array.from(bytes).buffer);
  return Array.from({ length: count }, (_, frame) => {
    const middle = Math.round((frame / RATE + lateSeconds) * SOUND_RATE);
    const part = samples.subarray(Math.max(0, middle - 250), Math.max(0, middle + 250));
    const power = part.reduce((sum, value) => sum + value * value, 0) / Math.max(1, part.length);
    return Math.max(-60, 10 * Math.log10(power + 1e-12));
  });
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (of: (i: number) => number): number => a.reduce((sum, _, i) => sum + of(i), 0);
  const both = product((i) => ((a[i] ?? 0) - meanA) * ((b[i] ?? 0) - meanB));
  return (
    both / Math.sqrt(product((i) => ((a[i] ?? 0) - meanA) ** 2) * product((i) => ((b[i] ?? 0) - meanB) ** 2))
  );
}

test.skipIf(whyNoSharedMedia !== null)(
  'the mouth moves with the speech, and a second speech over the video detects no faces again',
  SLOW,
  () => {
    const home = homeWithVideo(3);
    expect(run(once(home)).status).toBe(0);
    const drawn = mouths(home);
    // 5 seconds, although the video has 3.
    expect(drawn).toHaveLength(Math.round(5 * RATE));
    const late = Array.from({ length: 33 }, (_, i) => (i - 16) / 100);
    const found = late.map((seconds) => correlation(drawn, energies(outputOf(home), drawn.length, seconds)));
    const best = late[found.indexOf(Math.max(...found))] ?? NaN;
    console.log(`correlation ${found[16]?.toFixed(3) ?? '?'}; best with the sound ${best * 1000} ms late`);
    expect(found[16]).toBeGreaterThan(0.9);
    expect(Math.abs(best)).toBeLessThan(0.04);
    const streams = execFileSync(
      'ffprobe',
      ['-v', 'error', '-show_entries', 'stream=codec_name,duration', '-of', 'csv=p=0', outputOf(home)],
      { encoding: 'utf8' },
    );
    expect(streams).toMatch(/^h264,(4\.9|5\.0)\d*\naac,(4\.9|5\.0)\d*\n$/);
    expect(readLog(home)).toContain('a face speaks in 63 of 63 frames; 25 frames not searched again');

    makeSpeech(join(home, 'input/lip-sync/anna.wav'), 4, 2);
    expect(run(once(home)).status).toBe(0);
    expect(readLog(home)).toContain('a face speaks in 50 of 50 frames; 50 frames not searched again');
  },
);

/** Where a job is killed, each at the given hit. */
const KILLED_AT = [
  ['commit-analysis.committed', 2],
  ['store-directions.committed', 1],
  ['transformed-frame.written', 14],
  ['transformed-frame.before-write', 9],
  ['commit-batch.committed', 1],
  ['output.joined', 1],
] as const;

test.skipIf(whyNoSharedMedia !== null)(
  'after kills in both passes, in a batch and while joining, the frames equal those of an undisturbed run',
  SLOW,
  async () => {
    const keys = { frameSkip: 2, extend: 'ping-pong', resolution: '360p', latency: 'low' };
    const undisturbed = homeWithVideo(3, keys);
    expect(run(once(undisturbed)).status).toBe(0);
    const wanted = frameMd5(outputOf(undisturbed));
    expect(wanted).toHaveLength(Math.round(5 * RATE));

    const home = homeWithVideo(3, keys);
    const trace = join(home, 'trace.log');
    const points = failPointFolder(join(home, 'points'));
    for (const [name, hit] of KILLED_AT) {
      points.arm(`${name} ${hit} kill-group`);
      await start(once(home), { ...points.environment, FRAMEKILN_TRACE: trace }).ended;
      expect(points.hasFired(name), name).toBe(true);
    }
    expect(run(once(home), { FRAMEKILN_TRACE: trace }).status).toBe(0);
    expect(frameMd5(outputOf(home))).toEqual(wanted);
    expect(readLog(home)).toContain('resuming from checkpoint');
    console.log(`${KILLED_AT.length} kills: the models ran on ${tracedFrames(trace).length} frames`);
  },
);

interface Status {
  readonly jobs: { readonly file: string; readonly state: string; readonly error: { code: string } | null }[];
  readonly rejected: { readonly file: string; readonly code: string }[];
}

const statusOf = (home: string): Status =>
  JSON.parse(run(['status', '--json', '--home', home]).stdout) as Status;

test.skipIf(whyNoSharedMedia !== null)(
  'a video waits for its speech; one without a face, and a model of another layout, are rejected with a code',
  SLOW,
  () => {
    const home = homeWithVideo(1);
    const input = join(home, 'input/lip-sync');
    rmSync(join(input, 'anna.wav'));
    makeClip(join(input, 'nobody.mp4'), { width: 160, height: 120, frames: 10, audio: false });
    makeFaceClip(join(input, 'wrong.mp4'), 1);
    writeFileSync(join(input, 'srvgg.onnx'), tinySrvgg());
    writeFileSync(join(input, 'wrong.mp4.recipe.yaml'), JSON.stringify({ model: join(input, 'srvgg.onnx') }));
    for (const name of ['nobody.wav', 'wrong.wav', 'alone.wav']) makeSpeech(join(input, name), 0.4);
    expect(run(once(home)).status).toBe(1);
    expect(readLog(home)).toContain('lip-sync/anna.mp4 waiting: may be incomplete (NO_AUDIO: ');
    const before = statusOf(home);
    expect(before.jobs.map(({ file, error }) => `${file} ${error?.code ?? ''}`).sort()).toEqual([
      'lip-sync/nobody.mp4 NO_FACE',
      'lip-sync/wrong.mp4 MODEL_UNSUITABLE',
    ]);
    const rejected = before.rejected.filter(({ file }) => !file.endsWith('.onnx'));
    expect(rejected.map(({ file, code }) => `${file} ${code}`)).toEqual(['lip-sync/anna.mp4 NO_AUDIO']);

    makeSpeech(join(input, 'anna.wav'), 0.4);
    run(once(home));
    expect(statusOf(home).jobs.find(({ file }) => file === 'lip-sync/anna.mp4')?.state).toBe('done');
    expect(frameMd5(outputOf(home))).toHaveLength(5);
  },
);

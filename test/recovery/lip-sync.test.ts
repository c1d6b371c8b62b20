import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { readLog, run } from '../helpers/framekiln.ts';
import {
  finishAfterKills,
  lipSyncHome,
  lipSyncOutput,
  makeFaceClip,
  makeSpeech,
  MOUTH,
} from '../helpers/lip-sync.ts';
import { whyNoSharedMedia } from '../helpers/shared-media.ts';
import { tinySrvgg } from '../helpers/tiny-models.ts';

/* A video and a speech become a video in which the mouth moves with the speech. The model is one of the test. */

const SLOW = { tags: ['slow'], timeout: 200_000 };
const WIDTH = 320;
const HEIGHT = 240;
const RATE = 12.5;
/** Samples per second that the energy of the speech is computed from. */
const SOUND_RATE = 8000;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const once = (home: string): string[] => ['start', '--once', '--home', home];

function decode(path: string, ...args: string[]): Buffer {
  return execFileSync('ffmpeg', ['-v', 'error', '-i', path, ...args, 'pipe:1'], { maxBuffer: 1e9 });
}

/** The mean brightness of the mouth in each frame. */
function mouths(home: string): number[] {
  const { boxes } = JSON.parse(readFileSync(join(home, '.framekiln/reports/1.lip-sync.json'), 'utf8')) as {
    boxes: readonly Box[];
  };
  const frames = decode(lipSyncOutput(home), '-pix_fmt', 'gray', '-f', 'rawvideo');
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
  'the mouth moves with the speech, a second speech over the video detects no faces again, and kills change no frame',
  SLOW,
  async () => {
    const keys = { extend: 'ping-pong', latency: 'low' };
    const home = lipSyncHome(keys);
    expect(run(once(home)).status).toBe(0);
    const output = lipSyncOutput(home);
    const drawn = mouths(home);
    // 3 seconds, although the video has 2.
    expect(drawn).toHaveLength(Math.round(3 * RATE));
    const late = Array.from({ length: 33 }, (_, i) => (i - 16) / 100);
    const found = late.map((seconds) => correlation(drawn, energies(output, drawn.length, seconds)));
    const best = late[found.indexOf(Math.max(...found))] ?? NaN;
    console.log(`correlation ${found[16]?.toFixed(3) ?? '?'}; best with the sound ${best * 1000} ms late`);
    expect(found[16]).toBeGreaterThan(0.9);
    expect(Math.abs(best)).toBeLessThan(0.04);
    const streams = execFileSync(
      'ffprobe',
      ['-v', 'error', '-show_entries', 'stream=codec_name,duration', '-of', 'csv=p=0', output],
      { encoding: 'utf8' },
    );
    expect(streams).toMatch(/^h264,(2\.9|3\.0)\d*\naac,(2\.9|3\.0)\d*\n$/);
    expect(readLog(home)).toContain('a face speaks in 38 of 38 frames');
    const wanted = frameMd5(output);

    makeSpeech(join(home, 'input/lip-sync/anna.wav'), 2.5, 2);
    expect(run(once(home)).status).toBe(0);
    expect(readLog(home)).toContain('a face speaks in 31 of 31 frames; 25 frames not searched again');

    const killed = await finishAfterKills(
      [
        ['commit-analysis.committed', 1],
        ['transformed-frame.written', 14],
        ['output.joined', 1],
      ],
      keys,
    );
    expect(frameMd5(lipSyncOutput(killed))).toEqual(wanted);
    expect(readLog(killed)).toContain('resuming from checkpoint');
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
    const home = lipSyncHome();
    const input = join(home, 'input/lip-sync');
    rmSync(join(input, 'anna.wav'));
    makeClip(join(input, 'nobody.mp4'), { width: 160, height: 120, frames: 10, audio: false });
    makeFaceClip(join(input, 'wrong.mp4'), 0.5);
    writeFileSync(join(input, 'srvgg.onnx'), tinySrvgg());
    writeFileSync(join(input, 'wrong.mp4.recipe.yaml'), JSON.stringify({ model: join(input, 'srvgg.onnx') }));
    for (const name of ['nobody.wav', 'wrong.wav', 'alone.wav']) makeSpeech(join(input, name), 0.4);
    expect(run(once(home)).status).toBe(1);
    expect(readLog(home)).toContain('lip-sync/anna.mp4 waiting: may be incomplete (NO_AUDIO: ');
    expect(readLog(home)).toContain('nobody.mp4 shows no face that could speak; choose another video.');
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
    expect(frameMd5(lipSyncOutput(home))).toHaveLength(5);
  },
);

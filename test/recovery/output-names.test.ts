import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { filesBelow, makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Two videos of 32x32 pixels, told apart by their number of frames. */
const FRAMES = { a: 6, b: 7 };
let clips: { readonly a: Buffer; readonly b: Buffer };

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-test-'));
  const clip = (frames: number): Buffer =>
    readFileSync(makeClip(join(folder, 'clip.mp4'), { width: 32, height: 32, frames, audio: false }));
  clips = { a: clip(FRAMES.a), b: clip(FRAMES.b) };
  rmSync(folder, { recursive: true });
});

function newHome(settings = ''): string {
  const quick =
    'intake: { settleSeconds: 0.2 }\nworkspace: { memoryFraction: 0.05 }\nrecipe: { model: lanczos }\n';
  return makeHome(temporaryFolder(), quick + settings);
}

function put(path: string, bytes: Buffer | string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

function once(home: string, expectedStatus = 0): void {
  const { status, stdout, stderr } = run(['start', '--once', '--home', home]);
  expect(status, stdout + stderr).toBe(expectedStatus);
}

/** Runs CLI commands without a daemon; the next start carries them out. */
function command(home: string, ...args: string[]): void {
  expect(run([...args, '--home', home]).status).toBe(0);
}

function runFile(home: string, file: string, ...options: string[]): void {
  const { status, stderr } = run(['run', file, '--skip-checks', '--home', home, ...options]);
  expect(status, stderr).toBe(0);
}

/** Each file in `output/` with the content that it shows and its width in pixels; foreign files with their text. */
function outputs(home: string): Record<string, string> {
  const names = filesBelow(join(home, 'output')).sort();
  return Object.fromEntries(names.map((name) => [name, contentOf(join(home, 'output', name))]));
}

function contentOf(path: string): string {
  const bytes = readFileSync(path);
  if (!bytes.subarray(4, 8).equals(Buffer.from('ftyp'))) return bytes.toString();
  const probe = execFileSync('ffprobe', [
    ...[
      '-v',
      'error',
      '-select_streams',
      'v',
      '-count_frames',
      '-show_entries',
      'stream=width,nb_read_frames',
    ],
    ...['-of', 'json', path],
  ]);
  const { streams } = JSON.parse(probe.toString()) as {
    streams: { width: number; nb_read_frames: string }[];
  };
  const [stream] = streams;
  return `${Number(stream?.nb_read_frames) === FRAMES.a ? 'a' : 'b'} ${stream?.width}`;
}

function jobsOf(home: string) {
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  try {
    return queue.jobs.listJobs().map(({ state, attempts }) => ({ state, attempts }));
  } finally {
    queue.close();
  }
}

describe('two videos with one name', () => {
  it('both have an output if the second arrives after the first was deleted', { tags: ['slow'] }, () => {
    const home = newHome('output: { source: delete }\n');
    put(join(home, 'input/GOPR0001.mp4'), clips.a);
    once(home);
    put(join(home, 'input/GOPR0001.mp4'), clips.b);
    once(home);
    expect(outputs(home)).toEqual({ 'GOPR0001.mp4': 'a 64', 'GOPR0001 (2).mp4': 'b 64' });
    expect(filesBelow(join(home, 'input'))).toEqual([]);
  });

  it('both have an output if they are processed with run', { tags: ['slow'] }, () => {
    const home = newHome();
    for (const name of ['a', 'b'] as const) runFile(home, put(join(home, `trip-${name}/x.mp4`), clips[name]));
    expect(outputs(home)).toEqual({ 'x.mp4': 'a 64', 'x (2).mp4': 'b 64' });
  });

  it('both have an output if the job of the first was retried and cancelled', { tags: ['slow'] }, () => {
    const home = newHome();
    put(join(home, 'input/x.mp4'), clips.a);
    once(home);
    for (const args of [['pause'], ['retry', '1'], ['cancel', '1'], ['resume']]) command(home, ...args);
    command(home, 'add', put(join(home, 'trip-b/x.mp4'), clips.b));
    once(home, 1); // The source of the cancelled job is still in input/.
    expect(outputs(home)).toEqual({ 'x.mp4': 'a 64', 'x (2).mp4': 'b 64' });
  });
});

describe('one video twice', () => {
  it('has two outputs with run at two scales', { tags: ['slow'] }, () => {
    const home = newHome();
    const source = put(join(home, 'trip/x.mp4'), clips.a);
    runFile(home, source, '--scale', '2');
    runFile(home, source, '--scale', '3');
    expect(outputs(home)).toEqual({ 'x.mp4': 'a 64', 'x (2).mp4': 'a 96' });
  });

  it('has one output with run twice at the same scale', { tags: ['slow'] }, () => {
    const home = newHome();
    const source = put(join(home, 'trip/x.mp4'), clips.a);
    runFile(home, source);
    runFile(home, source);
    expect(outputs(home)).toEqual({ 'x.mp4': 'a 64' });
  });

  it('has two outputs if its sidecar changes afterwards', { tags: ['slow'] }, () => {
    const home = newHome();
    put(join(home, 'input/x.mp4'), clips.a);
    once(home);
    put(join(home, 'input/x.mp4.recipe.yaml'), 'scale: 3\n');
    once(home);
    expect(outputs(home)).toEqual({ 'x.mp4': 'a 64', 'x (2).mp4': 'a 96' });
  });

  it(
    'has one output if its sidecar is removed afterwards, at once or after it was changed and withdrawn',
    { tags: ['slow'] },
    () => {
      const home = newHome();
      put(join(home, 'input/x.mp4'), clips.a);
      const sidecar = put(join(home, 'input/x.mp4.recipe.yaml'), 'scale: 3\n');
      once(home);
      rmSync(sidecar);
      once(home);
      put(sidecar, 'scale: nonsense\n');
      once(home, 1);
      rmSync(sidecar);
      once(home);
      expect(outputs(home)).toEqual({ 'x.mp4': 'a 96' });
      put(sidecar, 'scale: 2\n');
      once(home);
      expect(outputs(home)).toEqual({ 'x.mp4': 'a 96', 'x (2).mp4': 'a 64' });
    },
  );

  it('is processed without its sidecar if the job with the sidecar has failed', { tags: ['slow'] }, () => {
    const home = newHome();
    put(join(home, 'input/x.mp4'), clips.a);
    const model = put(join(home, 'models/x.onnx'), 'no model');
    const sidecar = put(join(home, 'input/x.mp4.recipe.yaml'), `model: ${model}\n`);
    once(home, 1);
    rmSync(sidecar);
    once(home);
    expect(outputs(home)).toEqual({ 'x.mp4': 'a 64' });
  });

  it(
    'has the newer output only if its sidecar changes and output.existing is replace',
    { tags: ['slow'] },
    () => {
      const home = newHome('output: { existing: replace }\n');
      put(join(home, 'input/x.mp4'), clips.a);
      once(home);
      put(join(home, 'input/x.mp4.recipe.yaml'), 'scale: 3\n');
      once(home);
      expect(outputs(home)).toEqual({ 'x.mp4': 'a 96' });
    },
  );

  it(
    'has one output after a retry, and after a kill at any step of its publication',
    { tags: ['slow'] },
    async () => {
      const home = newHome();
      const points = failPointFolder(join(home, 'points'));
      put(join(home, 'input/x.mp4'), clips.a);
      once(home);
      for (const point of [
        'output.before-rename',
        'output.before-folder-sync',
        'output.published',
        'publish-job.before-write',
      ] as const) {
        command(home, 'retry', '1');
        points.arm(`${point} 1 kill-group`);
        await start(['start', '--once', '--home', home], points.environment).ended;
        expect(points.hasFired(point), point).toBe(true);
        once(home);
        expect(outputs(home), point).toEqual({ 'x.mp4': 'a 64' });
      }
    },
  );
});

describe('a file that Framekiln did not write', () => {
  it.each(['keep-both', 'replace'])('stays in output/ if it has the name of the output (%s)', (existing) => {
    const home = newHome(`output: { existing: ${existing} }\n`);
    put(join(home, 'output/x.mp4'), 'holiday');
    put(join(home, 'input/x.mp4'), clips.a);
    once(home);
    expect(outputs(home)).toEqual({ 'x.mp4': 'holiday', 'x (2).mp4': 'a 64' });
    expect(readLog(home)).toMatch(/output\/x \(2\)\.mp4/);
  });

  it('stays if it appears while the job runs', async () => {
    const home = newHome();
    const points = failPointFolder(join(home, 'points'));
    put(join(home, 'input/x.mp4'), clips.a);
    points.arm('output.before-rename 1 kill-group');
    await start(['start', '--once', '--home', home], points.environment).ended;
    put(join(home, 'output/x.mp4'), 'holiday');
    once(home);
    expect(outputs(home)).toEqual({ 'x.mp4': 'holiday', 'x (2).mp4': 'a 64' });
  });

  it('stays if it is an output that was edited before a retry', { tags: ['slow'] }, () => {
    const home = newHome();
    put(join(home, 'input/x.mp4'), clips.a);
    once(home);
    put(join(home, 'output/x.mp4'), 'edited');
    command(home, 'retry', '1');
    once(home);
    expect(outputs(home)).toEqual({ 'x.mp4': 'edited', 'x (2).mp4': 'a 64' });
  });

  it('is noticed before the first frame if it is a folder', { tags: ['slow'] }, () => {
    const home = newHome();
    put(join(home, 'output/x.mp4/holiday.txt'), 'holiday');
    put(join(home, 'input/x.mp4'), clips.a);
    once(home);
    expect(outputs(home)).toEqual({ 'x.mp4/holiday.txt': 'holiday', 'x (2).mp4': 'a 64' });
    expect(jobsOf(home)).toEqual([{ state: 'done', attempts: 0 }]);
  });
});

it('an output that was deleted is made again under its name by a retry', { tags: ['slow'] }, () => {
  const home = newHome();
  put(join(home, 'input/x.mp4'), clips.a);
  once(home);
  rmSync(join(home, 'output/x.mp4'));
  command(home, 'retry', '1');
  once(home);
  expect(outputs(home)).toEqual({ 'x.mp4': 'a 64' });
});

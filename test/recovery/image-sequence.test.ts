import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import { ffmpeg, frameMd5 } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { filesBelow, makeHome, readLog, resumedFrames, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/* A folder of numbered images with a sidecar file becomes one video. */

const SLOW = { tags: ['slow'], timeout: 240_000 };
const QUICK =
  'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\nbatch: { firstFrames: 4, frames: 4 }\nworkspace: { memoryFraction: 0.05 }\n';

interface Status {
  readonly jobs: {
    readonly file: string;
    readonly state: string;
    readonly output: string;
    readonly error: { readonly code: string; readonly message: string } | null;
  }[];
  readonly rejected: { readonly file: string; readonly code: string; readonly message: string }[];
}

function setUp(settings = '') {
  const home = makeHome(temporaryFolder(), QUICK + settings);
  const input = join(home, 'input/lanczos-2x');
  /** Makes a folder of images of a moving test image. */
  const addImages = (name: string, { count = 10, from = 1, size = '64x48', pattern = '%04d.png' } = {}) => {
    mkdirSync(join(input, name), { recursive: true });
    const image = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25`, '-frames:v', String(count)];
    ffmpeg(...image, '-start_number', String(from), join(input, name, pattern));
  };
  const addSidecar = (name: string, text: string) => writeFileSync(join(input, `${name}.recipe.yaml`), text);
  const status = () => JSON.parse(run(['status', '--json', '--home', home]).stdout) as Status;
  const finish = () => run(['start', '--once', '--home', home]).status;
  return { home, input, addImages, addSidecar, status, finish };
}

/** Timestamps of the frames of a video in seconds. */
function timesOf(path: string): number[] {
  const [header = ''] = ffmpeg('-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framemd5', '-')
    .split('\n')
    .filter((line) => line.startsWith('#tb 0:'));
  const [num = 0, den = 1] = header.slice('#tb 0: '.length).split('/').map(Number);
  return frameMd5(path).map((line) => (Number(line.split(',')[2]) * num) / den);
}

test('a folder of images with a sidecar file becomes one video with its frame rate', () => {
  const { home, addImages, addSidecar, status, finish } = setUp();
  addImages('clip');
  addSidecar('clip', 'frameRate: 24000/1001\nscale: 3\n');
  addImages('photos', { count: 1, size: '80x48' });
  addImages('photos', { count: 1, from: 2, size: '88x48' });
  expect(finish()).toBe(0);
  const { jobs } = status();
  expect(jobs.map(({ file, state }) => `${file} ${state}`).sort()).toEqual([
    'lanczos-2x/clip done',
    'lanczos-2x/photos/0001.png done',
    'lanczos-2x/photos/0002.png done',
  ]);
  expect(filesBelow(join(home, 'output')).sort()).toEqual([
    'lanczos-2x/clip.mp4',
    'lanczos-2x/photos/0001.png',
    'lanczos-2x/photos/0002.png',
  ]);
  const times = timesOf(join(home, 'output/lanczos-2x/clip.mp4'));
  expect(times).toHaveLength(10);
  for (const [frame, time] of times.entries()) expect(time).toBeCloseTo((frame * 1001) / 24000, 5);
  const shape = ffmpeg(
    '-i',
    join(home, 'output/lanczos-2x/clip.mp4'),
    '-frames:v',
    '1',
    '-f',
    'framemd5',
    '-',
  );
  expect(shape).toMatch(/#dimensions 0: 192x144/);
  expect(finish()).toBe(0);
  expect(readLog(home).match(/ queued as job /g)).toHaveLength(3);
});

test(
  'what is no sequence is rejected with the reason once it stays so, and taken once it is complete',
  SLOW,
  () => {
    const { home, input, addImages, addSidecar, status, finish } = setUp();
    const faulty = {
      'without-rate': 'scale: 2\n',
      'bad-rate': 'frameRate: fast\n',
      gap: 'frameRate: 25\n',
      letter: 'frameRate: 25\n',
      empty: 'frameRate: 25\n',
      sizes: 'frameRate: 25\n',
    };
    for (const [name, text] of Object.entries(faulty)) {
      addImages(name, { count: 3 });
      addSidecar(name, text);
    }
    const removed = join(temporaryFolder(), 'removed.png');
    renameSync(join(input, 'gap/0002.png'), removed);
    writeFileSync(join(input, 'letter/notes.txt'), 'x');
    for (const name of readdirSync(join(input, 'empty')))
      renameSync(join(input, 'empty', name), join(temporaryFolder(), name));
    addImages('sizes', { count: 1, from: 4, size: '96x48' });
    expect(finish()).toBe(1);
    const { rejected, jobs } = status();
    const reasons = Object.fromEntries(
      rejected.map(({ file, code, message }) => [file.slice('lanczos-2x/'.length), `${code}: ${message}`]),
    );
    expect(reasons).toEqual({
      'without-rate': expect.stringMatching(
        /^BAD_RECIPE: The sidecar file without-rate\.recipe\.yaml cannot be used: .*frameRate: a folder of images needs a frame rate, such as 25 or 30000\/1001\.$/,
      ) as unknown,
      'bad-rate': expect.stringMatching(/^BAD_RECIPE: .*needs a frame rate/) as unknown,
      gap: 'BAD_SEQUENCE: gap has a gap: 1 image missing between 0001.png and 0003.png.',
      letter: expect.stringMatching(/^BAD_SEQUENCE: letter contains notes\.txt, /) as unknown,
      empty: 'BAD_SEQUENCE: empty contains no images.',
    });
    expect(jobs).toMatchObject([
      {
        file: 'lanczos-2x/sizes',
        state: 'failed',
        error: {
          code: 'BAD_SEQUENCE',
          message:
            'sizes contains images of different sizes or bit depths: 0001.png is 64x48 with 8 bits, and 0004.png is 96x48 with 8 bits.',
        },
      },
    ]);
    expect(readLog(home)).toMatch(/gap waiting: may be incomplete/);
    renameSync(removed, join(input, 'gap/0002.png'));
    expect(finish()).toBe(1);
    expect(frameMd5(join(home, 'output/lanczos-2x/gap.mp4'))).toHaveLength(3);
  },
);

test('a job resumes after a kill, and notices a folder that changes after it was queued', SLOW, async () => {
  const { home, addImages, addSidecar, status, finish } = setUp();
  const points = failPointFolder(join(temporaryFolder(), 'points'));
  const untilKilled = async (at: 'other-file.before-rename 1' | 'commit-batch.committed 2') => {
    points.arm(`${at} kill-group`);
    await start(['start', '--once', '--home', home], points.environment).ended;
    expect(points.hasFired(at.startsWith('o') ? 'other-file.before-rename' : 'commit-batch.committed')).toBe(
      true,
    );
  };
  addImages('clip', { count: 12 });
  addSidecar('clip', 'frameRate: 25\n');
  await untilKilled('other-file.before-rename 1');
  await untilKilled('commit-batch.committed 2');
  expect(finish()).toBe(0);
  expect(resumedFrames(readLog(home))).toBe(8);
  const undisturbed = frameMd5(join(home, 'output/lanczos-2x/clip.mp4'));
  expect(undisturbed).toHaveLength(12);

  addImages('burst', { count: 12 });
  addSidecar('burst', 'frameRate: 25\n# another job\nscale: 3\n');
  await untilKilled('commit-batch.committed 2');
  addImages('burst', { count: 1, from: 13 });
  // The latest job of the folder counts.
  expect(finish()).toBe(0);
  expect(status().jobs.map(({ file, state, error }) => `${file} ${state} ${error?.code ?? ''}`)).toEqual([
    'lanczos-2x/clip done ',
    'lanczos-2x/burst failed SOURCE_CHANGED',
    'lanczos-2x/burst done ',
  ]);
  expect(frameMd5(join(home, 'output/lanczos-2x/burst.mp4'))).toHaveLength(13);
});

test.each(['move', 'delete'] as const)('the folder is settled as a whole: %s', SLOW, async (settling) => {
  const { home, input, addImages, addSidecar, finish } = setUp(`output: { source: ${settling} }\n`);
  addImages('clip', { count: 3 });
  addSidecar('clip', 'frameRate: 25\n');
  const points = failPointFolder(join(temporaryFolder(), 'points'));
  points.arm('source.settled 1 kill-group');
  await start(['start', '--once', '--home', home], points.environment).ended;
  expect(points.hasFired('source.settled')).toBe(true);
  expect(finish()).toBe(0);
  expect(readdirSync(input)).toEqual(['clip.recipe.yaml']);
  expect(filesBelow(join(home, 'finished')).sort()).toEqual(
    settling === 'move' ? ['clip/0001.png', 'clip/0002.png', 'clip/0003.png'] : [],
  );
  expect(filesBelow(join(home, 'output'))).toEqual(['lanczos-2x/clip.mp4']);
});

test('photos in a folder are turned upright, and keep 16 bits', SLOW, async () => {
  const { home, input, addSidecar, finish } = setUp();
  for (const folder of ['upright', 'deep']) {
    mkdirSync(join(input, folder));
    addSidecar(folder, 'frameRate: 25\n');
  }
  const photo = { width: 64, height: 48, channels: 3, background: 'red' } as const;
  for (const number of [1, 2]) {
    await sharp({ create: photo })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(join(input, `upright/${number}.jpg`));
    await sharp({ create: photo })
      .toColourspace('rgb16')
      .png()
      .toFile(join(input, `deep/${number}.png`));
  }
  expect(finish()).toBe(0);
  const described = (name: string) =>
    execFileSync(
      'ffprobe',
      [
        ...['-v', 'error', '-show_entries', 'stream=width,height,pix_fmt', '-of', 'csv=p=0'],
        join(home, 'output/lanczos-2x', name),
      ],
      { encoding: 'utf8' },
    ).trim();
  expect(described('upright.mp4')).toBe('96,128,yuv420p');
  expect(described('deep.mp4')).toBe('128,96,yuv420p10le');
});

test.each(['move', 'delete'] as const)(
  'a folder is kept if an image is rewritten after it was read: %s',
  SLOW,
  async (settling) => {
    const { home, input, addImages, addSidecar } = setUp(`output: { source: ${settling} }\n`);
    addImages('clip', { count: 3 });
    addSidecar('clip', 'frameRate: 25\n');
    const points = failPointFolder(join(temporaryFolder(), 'points'));
    points.arm('source.before-settling 1 stop');
    const running = start(['start', '--once', '--home', home], points.environment);
    await vi.waitFor(() => expect(points.hasFired('source.before-settling')).toBe(true), {
      timeout: 120_000,
      interval: 50,
    });
    copyFileSync(join(input, 'clip/0003.png'), join(input, 'clip/0002.png'));
    process.kill(-(running.child.pid ?? 0), 'SIGCONT');
    await running.ended;
    expect(readLog(home)).toMatch(/the source is kept: The images changed after they were read/);
    expect(readdirSync(join(input, 'clip'))).toEqual(['0001.png', '0002.png', '0003.png']);
  },
);

test('an image whose name is not UTF-8 is named in the rejection', SLOW, () => {
  const { input, addImages, addSidecar, status, finish } = setUp();
  addImages('clip', { count: 2 });
  addSidecar('clip', 'frameRate: 25\n');
  const name = Buffer.concat([
    Buffer.from(join(input, 'clip/caf')),
    Buffer.from([0xe9]),
    Buffer.from('3.png'),
  ]);
  writeFileSync(name, 'x');
  expect(finish()).toBe(1);
  expect(status().rejected).toEqual([
    expect.objectContaining({
      code: 'BAD_SEQUENCE',
      message: 'clip contains caf\\xe93.png, whose name is not valid UTF-8; rename the images.',
    }),
  ]);
});

test(
  'the images of a finished folder are not queued one by one when its sidecar file is removed',
  SLOW,
  () => {
    const { home, input, addImages, addSidecar, status, finish } = setUp();
    addImages('clip', { count: 3 });
    addSidecar('clip', 'frameRate: 25\n');
    expect(finish()).toBe(0);
    rmSync(join(input, 'clip.recipe.yaml'));
    expect(finish()).toBe(0);
    expect(finish()).toBe(0);
    expect(status().jobs).toHaveLength(1);
    expect(filesBelow(join(home, 'output'))).toEqual(['lanczos-2x/clip.mp4']);
  },
);

import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { ffmpeg, makeClip } from '../helpers/clips.ts';
import { MAIN, makeHome } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { tinySrvgg } from '../helpers/tiny-models.ts';

/** Runs `framekiln try` in a folder of its own. */
function tryIn(folder: string, ...args: string[]) {
  const home = makeHome(join(folder, 'home'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'try', ...args, '--home', home], {
    ...{ cwd: folder, encoding: 'utf8', timeout: 120_000 },
  });
  return { status, stdout, stderr, home };
}

function folderWithModel(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'mine.onnx'), tinySrvgg());
  return folder;
}

test('a frame of a video becomes an image for each model, a contact sheet and a table, and nothing is queued', async () => {
  const folder = folderWithModel();
  makeClip(join(folder, 'film.mp4'), { width: 160, height: 120, frames: 75 });
  const { status, stdout, home } = tryIn(folder, 'film.mp4', '--at', '0:02', '--models', 'mine.onnx');
  expect(status).toBe(0);
  const out = join(folder, 'try-film');
  expect(readdirSync(out).sort()).toEqual(['lanczos.png', 'mine.png', 'sheet.png']);
  const lines = stdout.split('\n');
  expect(lines[0]).toBe(`film.mp4 at 2.00 s, scale 2, into ${out}`);
  expect(lines[1]).toMatch(/^MODEL +SPEED +WHOLE FILE +IMAGE$/);
  expect(lines[2]).toMatch(/^lanczos +[\d.]+ fps +about \d+ s +lanczos\.png$/);
  expect(lines[3]).toMatch(/^mine +[\d.]+ fps +about \d+ s +mine\.png$/);
  expect(stdout).toMatch(
    /To use one, add --model NAME --scale 2 to framekiln run; for all videos: framekiln config set/,
  );
  for (const name of ['lanczos.png', 'mine.png'])
    expect(await sharp(join(out, name)).metadata()).toMatchObject({ width: 320, height: 240, channels: 3 });
  // The overview and two details of 320x240, with their labels.
  expect(await sharp(join(out, 'sheet.png')).metadata()).toMatchObject({ width: 12 + 3 * 332, height: 316 });
  expect(existsSync(join(home, '.framekiln/framekiln.db'))).toBe(false);
});

test(
  'a still image keeps its transparency; the next run gets a folder of its own',
  { tags: ['slow'] },
  async () => {
    const folder = folderWithModel();
    const photo = join(folder, 'photo.png');
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=40x30', '-frames:v', '1', '-pix_fmt', 'rgba', photo);
    const { status, stdout } = tryIn(folder, photo, '--models', 'mine.onnx', '--scale', '3');
    expect(status).toBe(0);
    expect(stdout).toContain('photo.png, scale 3, into');
    const image = join(folder, 'try-photo/mine.png');
    expect(await sharp(image).metadata()).toMatchObject({ width: 120, height: 90, channels: 4 });
    expect(tryIn(folder, photo, '--models', 'lanczos').status).toBe(0);
    expect(readdirSync(join(folder, 'try-photo (2)')).sort()).toEqual(['lanczos.png', 'sheet.png']);
  },
);

test('with --json, each step is one JSON object', { tags: ['slow'] }, () => {
  const folder = folderWithModel();
  makeClip(join(folder, 'film.mp4'), { width: 160, height: 120, frames: 25 });
  const { status, stdout } = tryIn(folder, 'film.mp4', '--models', 'mine.onnx', '--json');
  expect(status).toBe(0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toEqual([
    expect.objectContaining({
      ...{ kind: 'frame', file: join(folder, 'film.mp4'), atSeconds: 0.52, durationSeconds: 1, scale: 2 },
      models: ['lanczos', join(folder, 'mine.onnx')],
    }),
    expect.objectContaining({ kind: 'result', model: 'lanczos', image: 'lanczos.png' }),
    expect.objectContaining({ kind: 'result', image: 'mine.png', seconds: expect.any(Number) as unknown }),
  ]);
});

test('a folder with files, an unknown model and a wrong time are refused before anything is written', () => {
  const folder = folderWithModel();
  makeClip(join(folder, 'film.mp4'), { frames: 10, audio: false });
  mkdirSync(join(folder, 'mine'));
  copyFileSync(join(folder, 'film.mp4'), join(folder, 'mine/film.mp4'));
  const full = tryIn(folder, 'film.mp4', '--out', 'mine', '--models', 'lanczos');
  expect([full.status, full.stderr]).toEqual([
    2,
    expect.stringContaining('is not empty; choose another one'),
  ]);
  const unknown = tryIn(folder, 'film.mp4', '--models', 'unheard-of');
  expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('MODEL_UNKNOWN')]);
  const wrong = tryIn(folder, 'film.mp4', '--at', 'noon');
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('Expected a time')]);
  expect(existsSync(join(folder, 'try-film'))).toBe(false);
});

test('with --seconds, a clip shows the detail of the source beside what each model makes of it', () => {
  const folder = folderWithModel();
  makeClip(join(folder, 'film.mp4'), { width: 160, height: 120, frames: 75 });
  const { status, stdout } = tryIn(
    folder,
    'film.mp4',
    '--at',
    '1',
    '--seconds',
    '0.5',
    '--models',
    'mine.onnx',
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(/^mine .* mine\.png, mine\.mp4$/m);
  const out = join(folder, 'try-film');
  expect(readdirSync(out).sort()).toEqual(['lanczos.png', 'mine.mp4', 'mine.png', 'sheet.png']);
  const probe = spawnSync(
    'ffprobe',
    [
      '-v',
      'error',
      '-count_frames',
      '-show_entries',
      'stream=width,height,nb_read_frames',
      '-of',
      'csv=p=0',
      join(out, 'mine.mp4'),
    ],
    { encoding: 'utf8' },
  );
  // Twice 320 pixels, and half a second of 25 frames.
  expect(probe.stdout.trim()).toBe('640,240,13');
  const still = tryIn(folder, join(out, 'mine.png'), '--seconds', '2', '--models', 'mine.onnx');
  expect([still.status, still.stderr]).toEqual([1, expect.stringContaining('A still image has no clip')]);
});

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { ffmpeg, frameMd5 } from '../helpers/clips.ts';
import { makeHome, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/* ffmpeg 5.1 cannot decode animated WebP files, so their frames are read with sharp. */

const [WIDTH, HEIGHT] = [48, 32];
const DELAYS_MS = [40, 40, 120, 200, 40, 1500];

/** The frames of an animation as raw RGBA: a square that moves over a background that is transparent in part. */
function frames(): Buffer[] {
  return DELAYS_MS.map((_, frame) => {
    const pixels = Buffer.alloc(WIDTH * HEIGHT * 4);
    for (let i = 0; i < WIDTH * HEIGHT; i++) {
      const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
      const isInside = x >= 6 * frame && x < 6 * frame + 10 && y >= 8 && y < 20;
      pixels.set(isInside ? [250, 240, 20, 255] : [30, 90, 160, 255], i * 4);
    }
    return pixels;
  });
}

async function writeAnimation(path: string): Promise<void> {
  const raw = { width: WIDTH, height: HEIGHT * DELAYS_MS.length, channels: 4, pageHeight: HEIGHT } as const;
  await sharp(Buffer.concat(frames()), { raw })
    .webp({ lossless: true, delay: DELAYS_MS, loop: 0 })
    .toFile(path);
}

test('an animated WebP becomes a video with the same frames at the same times', async () => {
  const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2 }\n');
  await writeAnimation(join(home, 'input/lanczos-2x/wave.webp'));
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  const output = join(home, 'output/lanczos-2x/wave.mp4');
  const fields = 'packet=pts_time';
  const options = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', fields, '-of', 'csv=p=0'];
  const shown = execFileSync('ffprobe', [...options, output], { encoding: 'utf8' });
  const packets = shown
    .trim()
    .split('\n')
    .map((line) => line.split(',').map((value) => Math.round(Number(value) * 1000)))
    .sort(([a = 0], [b = 0]) => a - b);
  expect(packets.map(([at]) => at)).toEqual([0, 40, 80, 200, 400, 440]);
  const length = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=duration',
    '-of',
    'csv=p=0',
  ];
  // The last frame is held for 1.5 s.
  expect(Number(execFileSync('ffprobe', [...length, output], { encoding: 'utf8' }))).toBeCloseTo(1.94, 3);
  expect(frameMd5(output)).toHaveLength(DELAYS_MS.length);
  const third = join(temporaryFolder(), 'third.png');
  ffmpeg('-i', output, '-vf', 'select=eq(n\\,2)', '-frames:v', '1', third);
  const { data } = await sharp(third).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): number[] => [
    ...data.subarray((y * 2 * WIDTH + x) * 3, (y * 2 * WIDTH + x) * 3 + 3),
  ];
  for (const [i, value] of [250, 240, 20].entries()) expect(at(34, 28)[i]).toBeCloseTo(value, -1.2);
  for (const [i, value] of [30, 90, 160].entries()) expect(at(8, 8)[i]).toBeCloseTo(value, -1.2);
});

test('an animated WebP that is cut off is rejected', async () => {
  const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2 }\n');
  const path = join(home, 'input/cut.webp');
  await writeAnimation(path);
  const whole = await sharp(path, { pages: -1 }).metadata();
  expect(whole.pages).toBe(DELAYS_MS.length);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length - 40));
  expect(run(['start', '--once', '--home', home]).status).not.toBe(0);
  const status = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
    rejected: { file: string; code: string; message: string }[];
  };
  expect(status.rejected).toMatchObject([{ file: 'cut.webp', code: 'NOT_A_VIDEO' }]);
  expect(status.rejected[0]?.message).toMatch(/damaged animated WebP/);
});

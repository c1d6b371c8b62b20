import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { expect, test } from 'vitest';
import { ffmpeg } from '../../helpers/clips.ts';
import { makeHome, run } from '../../helpers/framekiln.ts';
import { meanDifference } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const [WIDTH, HEIGHT] = [61, 47];
const SCALE = 2;

/** A smooth image of odd size, with other colours in each corner. */
function gradient() {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let at = 0; at < WIDTH * HEIGHT; at++)
    pixels.set([(at % WIDTH) * 4, Math.floor(at / WIDTH) * 5, 128], 3 * at);
  return sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
}

/** Mean difference in levels between an output and its source, enlarged by sharp. */
async function difference(output: string, source: string): Promise<number> {
  // Step by step: sharp would enlarge before it removes the transparency.
  const colours = (path: string) =>
    sharp(path, { ignoreIcc: true }).removeAlpha().toColourspace('srgb').raw().toBuffer();
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
  const larger = sharp(await colours(source), { raw }).resize(WIDTH * SCALE, HEIGHT * SCALE, {
    fit: 'fill',
    kernel: 'lanczos3',
  });
  const [a, b] = await Promise.all([colours(output), larger.raw().toBuffer()]);
  return meanDifference(a, b);
}

test('still images are upscaled and keep format, depth, profile, EXIF and transparency', async () => {
  const home = makeHome(
    temporaryFolder(),
    'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\noutput: { source: move }\n',
  );
  const input = (name: string) => join(home, 'input/lanczos-2x', name);
  const output = (name: string) => join(home, 'output/lanczos-2x', name);
  await gradient()
    .withIccProfile('p3')
    .withExif({ IFD0: { Artist: 'Ada' } })
    .withMetadata({ orientation: 6, icc: 'p3' })
    .jpeg({ quality: 98 })
    .toFile(input('photo.jpg'));
  await gradient().png().toFile(input('screen.png'));
  await gradient().ensureAlpha(0.5).png().toFile(input('sticker.png'));
  await gradient().toColourspace('rgb16').png().toFile(input('deep.png'));
  await gradient().toColourspace('b-w').jpeg().toFile(input('grey.jpeg'));
  await gradient().webp({ lossless: true }).toFile(input('web.webp'));
  await gradient().avif({ quality: 90 }).toFile(input('small.avif'));
  await gradient()
    .withExif({ IFD0: { Artist: 'Ada' } })
    .withMetadata({ orientation: 3 })
    .avif({ quality: 90 })
    .toFile(input('turned.avif'));
  await gradient().jpeg().toFile(input('without-extension'));
  await gradient().toColourspace('cmyk').jpeg().toFile(input('print.jpg'));
  ffmpeg('-i', input('deep.png'), '-pix_fmt', 'rgb48le', input('scan.tif'));
  // A motion photo: a video follows the image.
  const motion = [await gradient().blur(2).jpeg().toBuffer(), Buffer.from('\0\0\0\x18ftypmp42 and so on')];
  writeFileSync(input('motion.jpg'), Buffer.concat(motion));
  // Two frames, as sharp writes them from a tall image.
  const frames = Buffer.alloc(WIDTH * 2 * HEIGHT * 3, 90).fill(200, 0, WIDTH * HEIGHT * 3);
  await sharp(frames, { raw: { width: WIDTH, height: 2 * HEIGHT, channels: 3, pageHeight: HEIGHT } })
    .webp()
    .toFile(input('moving.webp'));
  writeFileSync(input('torn.png'), readFileSync(input('screen.png')).subarray(0, 200));
  const sources = [
    'photo.jpg',
    'screen.png',
    'sticker.png',
    'deep.png',
    'grey.jpeg',
    'web.webp',
    'small.avif',
    'turned.avif',
  ];

  expect(run(['start', '--once', '--home', home]).status).toBe(1);
  const found = new Map<string, Metadata>();
  for (const name of [...sources, 'scan.tif', 'print.jpg', 'without-extension.jpg']) {
    found.set(name, await sharp(output(name)).metadata());
    expect(found.get(name), name).toMatchObject({ width: WIDTH * SCALE, height: HEIGHT * SCALE });
    const source = join(home, 'finished', name.replace('without-extension.jpg', 'without-extension'));
    expect(await difference(output(name), source), name).toBeLessThan(name === 'print.jpg' ? 12 : 2);
  }
  const source = await sharp(join(home, 'finished/photo.jpg')).metadata();
  expect(found.get('photo.jpg')).toMatchObject({
    format: 'jpeg',
    icc: source.icc,
    orientation: 6,
  });
  expect(found.get('turned.avif')?.exif?.includes('Ada')).toBe(true);
  expect(found.get('photo.jpg')?.exif?.includes('Ada')).toBe(true);
  expect(found.get('sticker.png')).toMatchObject({ format: 'png', hasAlpha: true });
  const alpha = await sharp(output('sticker.png')).extractChannel('alpha').raw().toBuffer();
  expect(new Set(alpha)).toEqual(new Set([127]));
  expect(found.get('deep.png')).toMatchObject({ format: 'png', depth: 'ushort' });
  expect(found.get('scan.tif')).toMatchObject({ format: 'tiff', depth: 'ushort' });
  expect(found.get('grey.jpeg')).toMatchObject({ format: 'jpeg', space: 'b-w' });
  expect(found.get('web.webp')).toMatchObject({ format: 'webp' });
  expect(found.get('small.avif')).toMatchObject({ format: 'heif' });

  const report = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
    jobs: { file: string; state: string; framesDone: number; report: { remarks: string[] } }[];
    rejected: { file: string; code: string }[];
  };
  expect(report.jobs.every(({ state }) => state === 'done')).toBe(true);
  const frameCounts = report.jobs.map(({ file, framesDone }) => [file, framesDone] as const);
  expect(frameCounts.filter(([, count]) => count !== 1)).toEqual([['lanczos-2x/moving.webp', 2]]);
  expect(report.jobs.find(({ file }) => file.endsWith('print.jpg'))?.report.remarks).toEqual([
    'CMYK converted to sRGB',
  ]);
  const motionPhoto = report.jobs.find(({ file }) => file.endsWith('motion.jpg'));
  expect(motionPhoto?.report.remarks).toEqual(['a video or further images in the file are left out']);
  expect(existsSync(input('motion.jpg'))).toBe(true);
  expect(report.rejected).toMatchObject([{ file: 'lanczos-2x/torn.png', code: 'NOT_A_VIDEO' }]);
  expect(existsSync(input('torn.png'))).toBe(true);
});

test('a still image in input/dual-face/ is rejected', async () => {
  const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2 }\n');
  const folder = join(home, 'input/dual-face');
  mkdirSync(folder, { recursive: true });
  await gradient().jpeg().toFile(join(folder, 'photo.jpg'));
  expect(run(['start', '--once', '--home', home]).status).toBe(1);
  expect(run(['status', '--home', home]).stdout).toMatch(
    /photo\.jpg is a still image; a split screen needs a video/,
  );
});

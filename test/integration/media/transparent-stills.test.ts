import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { makeHome, readLog, run } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const [WIDTH, HEIGHT] = [61, 47];
const YELLOW = [240, 200, 60];

/** A yellow disc with a smooth edge; the invisible pixels around it are black. */
function disc() {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 4);
  for (let at = 0; at < WIDTH * HEIGHT; at++) {
    const [x, y] = [at % WIDTH, Math.floor(at / WIDTH)];
    const opacity = Math.min(1, Math.max(0, 16.5 - Math.hypot(x - 29, y - 22)));
    if (opacity > 0) pixels.set([...YELLOW, Math.round(255 * opacity)], 4 * at);
  }
  return sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 4 } });
}

/** The place of the centre of the disc, as a share of the image, and its largest opacity. */
async function visible(path: string): Promise<{ x: number; y: number; most: number }> {
  const image = sharp(path).extractChannel('alpha').toColourspace('b-w');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  let [sum, x, y, most] = [0, 0, 0, 0];
  for (const [at, alpha] of data.entries()) {
    sum += alpha;
    x += alpha * ((at % info.width) + 0.5);
    y += alpha * (Math.floor(at / info.width) + 0.5);
    most = Math.max(most, alpha);
  }
  return { x: x / sum / info.width, y: y / sum / info.height, most };
}

/** By how many levels a pixel differs from yellow where the image lies on yellow. */
async function fringe(path: string): Promise<number> {
  const [r = 0, g = 0, b = 0] = YELLOW;
  const pixels = await sharp(path)
    .flatten({ background: { r, g, b } })
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  return pixels.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (YELLOW[i % 3] ?? 0))), 0);
}

test('what is visible keeps its place, its opacity and the colour of its edge', async () => {
  const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2 }\n');
  const input = (name: string) => join(home, 'input/lanczos-2x', name);
  await disc().png().toFile(input('disc.png'));
  await disc().toColourspace('rgb16').png().toFile(input('deep.png'));
  await disc().webp({ quality: 95 }).toFile(input('disc.webp'));
  await disc().avif({ quality: 95 }).toFile(input('disc.avif'));
  expect(run(['start', '--once', '--home', home]).status, readLog(home)).toBe(0);
  for (const name of ['disc.png', 'deep.png', 'disc.webp', 'disc.avif']) {
    const output = join(home, 'output/lanczos-2x', name);
    const [was, is] = [await visible(input(name)), await visible(output)];
    expect(Math.abs(is.x - was.x) * 2 * WIDTH, name).toBeLessThan(0.1);
    expect(Math.abs(is.y - was.y) * 2 * HEIGHT, name).toBeLessThan(0.1);
    expect(is.most, name).toBeGreaterThan(250);
    // Lossy formats have a fringe already in the source.
    expect(await fringe(output), name).toBeLessThan(3 + 1.2 * (await fringe(input(name))));
  }
});

/** Contact sheets: the source frames with the result of each below it. */
import sharp from 'sharp';
import { RESULT } from './split-screen.mjs';

const COLUMNS = 6;
const TILES = 36;

/** Writes a PNG of evenly spaced frames. */
export async function contactSheet(frames, size, { results, resultSize }, path) {
  const step = Math.max(1, Math.ceil(frames.length / TILES));
  const shown = frames.map((_, i) => i).filter((i) => i % step === 0);
  const tile = (pixels, { width, height }, number) =>
    sharp(pixels, { raw: { width, height, channels: 3 } })
      .resize({ ...RESULT, fit: 'contain' })
      .composite([
        {
          input: Buffer.from(
            `<svg width="60" height="20"><text x="2" y="15" font-size="15" fill="#ff0">${number}</text></svg>`,
          ),
          gravity: 'northwest',
        },
      ])
      .png()
      .toBuffer();
  const pieces = [];
  for (const [at, i] of shown.entries()) {
    const left = (at % COLUMNS) * RESULT.width;
    const top = Math.floor(at / COLUMNS) * 2 * RESULT.height;
    pieces.push({ input: await tile(frames[i], size, i), left, top });
    pieces.push({ input: await tile(results[i], resultSize, i), left, top: top + RESULT.height });
  }
  const height = 2 * RESULT.height * Math.ceil(shown.length / COLUMNS);
  await sharp({ create: { width: COLUMNS * RESULT.width, height, channels: 3, background: '#222' } })
    .composite(pieces)
    .png()
    .toFile(path);
}

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import sharp from 'sharp';
import { VerificationError } from '../../domain/errors.ts';
import { rawAlpha, rawColors, type UpscaledImage } from './components.ts';

/** Mean difference in levels of 8 bits that lossy compression may cause. */
const MAX_MEAN_DIFFERENCE = 6;

/**
 * Reads an image file back.
 *
 * @throws VerificationError if it does not show this image
 */
export async function assertShows(
  path: string,
  { pixels, alpha, width, height }: UpscaledImage,
  isWide: boolean,
): Promise<void> {
  const file = sharp(await readFile(path), { limitInputPixels: false, ignoreIcc: true });
  const { data, info } = await rawColors(file.clone(), isWide);
  if (info.width !== width || info.height !== height)
    throw new VerificationError(
      `Verification failed: ${basename(path)} is ${info.width}x${info.height} instead of ${width}x${height}.`,
    );
  const mean = difference(data, pixels, isWide, alpha);
  if (mean > MAX_MEAN_DIFFERENCE) throw differing(path, 'the upscaled image', mean);
  if (alpha === null) return;
  const written = await rawAlpha(file, isWide);
  const alphaMean = difference(written.data, alpha, isWide, null);
  if (alphaMean > MAX_MEAN_DIFFERENCE)
    throw differing(path, 'the transparency of the upscaled image', alphaMean);
}

function differing(path: string, what: string, mean: number): VerificationError {
  return new VerificationError(
    `Verification failed: ${basename(path)} differs from ${what} by ${mean.toFixed(1)} levels on average, more than the ${MAX_MEAN_DIFFERENCE} that compression can explain.`,
  );
}

/**
 * Mean difference of components in levels of 8 bits. With transparency, a pixel counts as much as it is visible, because
 * encoders may change the colours of the others.
 */
function difference(found: Buffer, expected: Buffer, isWide: boolean, alpha: Buffer | null): number {
  const step = isWide ? 2 : 1;
  let [sum, weights] = [0, 0];
  // The high byte of 16 bits is what 8 bits would be.
  for (let component = 0, at = step - 1; at < expected.length; component++, at += step) {
    const weight = alpha === null ? 1 : (alpha[Math.floor(component / 3) * step + step - 1] ?? 0) / 255;
    sum += weight * Math.abs((found[at] ?? 0) - (expected[at] ?? 0));
    weights += weight;
  }
  return weights === 0 ? 0 : sum / weights;
}

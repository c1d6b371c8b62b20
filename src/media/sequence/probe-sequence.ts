import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import { imagesIn } from '../../domain/fingerprint.ts';
import { shapeOf, type VideoShape } from '../../domain/video-shape.ts';
import { probeMedia, type InputLimits } from '../probe/probe-media.ts';

/**
 * Reads the header of the first image of a folder; the others are checked when the job decodes them.
 *
 * @throws InputRejectedError BAD_SEQUENCE if the images are no sequence, or as `probeMedia` does
 */
export async function probeSequence(
  folder: string,
  limits: InputLimits,
  signal: AbortSignal,
): Promise<VideoShape> {
  const names = await imagesIn(folder);
  const first = join(folder, names[0] ?? '');
  const media = await probeMedia(first, limits, signal);
  if (!media.video.isStill)
    throw new InputRejectedError('BAD_SEQUENCE', `${names[0] ?? ''} is not a still image.`);
  let bytes = 0;
  for (const name of names) bytes += (await stat(join(folder, name))).size;
  const { width, height, bitsPerComponent } = shapeOf(media);
  return { width, height, bitsPerComponent, frames: names.length, bytes };
}

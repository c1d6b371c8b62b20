import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { listSequence, sha256Sequence } from '../lib/image-sequence.ts';
import { sha256File, sha256RegularFile } from '../lib/sha256-file.ts';
import { InputRejectedError } from './errors.ts';
import { isOfSequence, type Recipe } from './recipe.ts';

/**
 * SHA-256 of a source, in hex: of the bytes of a file, of a video and its speech, or of the names and contents of a folder of images.
 *
 * @throws InputRejectedError BAD_SEQUENCE, or NOT_A_REGULAR_FILE for the speech
 */
export async function fingerprintOf(path: string, recipe: Recipe, signal?: AbortSignal): Promise<string> {
  const own = isOfSequence(recipe)
    ? await sha256Sequence(path, await imagesIn(path), signal)
    : await sha256File(path, signal);
  // A speech from standard input is a copy of our own, which need not be complete yet; its path makes the job another one.
  if (recipe.pipeline !== 'lip-sync' || recipe.audio === undefined || recipe.streamed === true) return own;
  const speech = await sha256RegularFile(recipe.audio, signal);
  if (speech === null)
    throw new InputRejectedError(
      'NOT_A_REGULAR_FILE',
      `${basename(recipe.audio)}, the speech of ${basename(path)}, is no longer a regular file.`,
    );
  return createHash('sha256').update(`${own} ${speech}`).digest('hex');
}

/** Names of the images in a folder, in order. @throws InputRejectedError BAD_SEQUENCE if they are no sequence */
export async function imagesIn(folder: string): Promise<readonly string[]> {
  const { names, fault } = await listSequence(folder);
  if (fault !== null) throw new InputRejectedError('BAD_SEQUENCE', `${basename(folder)} ${fault}.`);
  return names;
}

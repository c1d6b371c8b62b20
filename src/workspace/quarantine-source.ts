import { basename, join, relative } from 'node:path';
import { toError, type InputRejectedError } from '../domain/errors.ts';
import { isRejectedForContent } from '../domain/second-look.ts';
import { hasVideoExtension } from '../domain/video-extensions.ts';
import type { SignedFile } from '../lib/file-signature.ts';
import { describeWriter } from '../lib/process/file-writers.ts';
import { writeFileDurably } from './durable-file.ts';
import type { IdentifiedHome } from '../config/home.ts';
import { moveAside } from './move-aside.ts';

/**
 * Moves a file that was rejected for its content to `quarantine/` of the home and writes the reason to a text file next to it. Never throws: a file
 * that cannot be moved stays where it is, and so does one that has changed since it was read.
 *
 * @param prefix put before the name if `quarantine/` contains another file with that name
 * @returns a sentence for the log, or null if the file is not to be moved
 */
export async function quarantineSource(
  { id, root }: Pick<IdentifiedHome, 'id' | 'root'>,
  file: SignedFile,
  rejection: InputRejectedError,
  prefix: string,
): Promise<string | null> {
  // Photos, subtitles and notes stay where they are, and so does a video whose speech has not come yet.
  if (!isRejectedForContent(rejection) || !hasVideoExtension(file.path)) return null;
  const { code, message } = rejection;
  if (code === 'NO_AUDIO') return null;
  const { path } = file;
  let place: string;
  try {
    const writer = await describeWriter(path);
    if (writer !== null)
      return `${basename(path)} not moved to quarantine/: ${writer} has it open for writing`;
    place = await moveAside(id, file, join(root, 'quarantine'), prefix);
  } catch (error) {
    return `${basename(path)} cannot be moved to quarantine/: ${toError(error).message}`;
  }
  const moved = `${basename(path)} moved to ${relative(root, place)}`;
  try {
    await writeFileDurably(`${place}.txt`, `${code}: ${message}\n`);
    return `${moved}; the reason is in ${basename(place)}.txt`;
  } catch (error) {
    // With .txt, the name may be too long for the file system.
    return `${moved}; cannot write ${basename(place)}.txt: ${toError(error).message}`;
  }
}

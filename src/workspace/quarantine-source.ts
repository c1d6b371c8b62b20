import { basename, join, relative } from 'node:path';
import { toError, type InputRejectedError, type RejectionCode } from '../domain/errors.ts';
import { describeWriter } from '../lib/process/file-writers.ts';
import { writeFileDurably } from './durable-file.ts';
import type { IdentifiedHome } from '../config/home.ts';
import { moveAside } from './move-aside.ts';

/** Rejections that are not the fault of a video, so that nothing is moved. */
const NOT_ITS_FAULT: ReadonlySet<RejectionCode> = new Set<RejectionCode>([
  'BAD_RECIPE',
  'NOT_A_REGULAR_FILE',
  'SYMBOLIC_LINK',
  'NAME_NOT_UTF8',
  'OUTPUT_EXISTS',
  'OUTPUT_NOT_ALLOWED',
  'SOURCE_MISSING',
  'SOURCE_CHANGED',
]);

/**
 * Moves a rejected file to `quarantine/` of the home and writes the reason to a text file next to it. Never throws: a file
 * that cannot be moved stays where it is.
 *
 * @param prefix put before the name if `quarantine/` contains another file with that name
 * @returns a sentence for the log, or null if the file is not to be moved
 */
export async function quarantineSource(
  { id, root }: Pick<IdentifiedHome, 'id' | 'root'>,
  path: string,
  { code, message }: Pick<InputRejectedError, 'code' | 'message'>,
  prefix: string,
): Promise<string | null> {
  if (NOT_ITS_FAULT.has(code)) return null;
  let place: string;
  try {
    const writer = await describeWriter(path);
    if (writer !== null)
      return `${basename(path)} not moved to quarantine/: ${writer} has it open for writing`;
    place = await moveAside(id, path, join(root, 'quarantine'), prefix);
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

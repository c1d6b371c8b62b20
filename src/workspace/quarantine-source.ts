import { basename, join, relative } from 'node:path';
import { toError, type InputRejectedError, type RejectionCode } from '../domain/errors.ts';
import { writeFileDurably } from './durable-file.ts';
import { moveAside } from './move-aside.ts';

/** Rejections that say nothing about the file: it stays where it is. */
const NOT_ITS_FAULT: ReadonlySet<RejectionCode> = new Set<RejectionCode>([
  'BAD_RECIPE',
  'OUTPUT_EXISTS',
  'OUTPUT_NOT_ALLOWED',
  'SOURCE_MISSING',
  'SOURCE_CHANGED',
]);

/**
 * Moves a rejected file into `quarantine/` of the home, with the reason in a text file beside it. Never rejects: a file that
 * cannot be moved stays rejected where it is.
 *
 * @param prefix goes before its name when a file of that name is there already
 * @returns one sentence for the log; null where the file is not to be moved
 */
export async function quarantineSource(
  root: string,
  path: string,
  { code, message }: Pick<InputRejectedError, 'code' | 'message'>,
  prefix: string,
): Promise<string | null> {
  if (NOT_ITS_FAULT.has(code)) return null;
  let place: string;
  try {
    place = await moveAside(path, join(root, 'quarantine'), prefix);
  } catch (error) {
    return `${basename(path)} stays where it is: ${toError(error).message}`;
  }
  const said = `${basename(path)} is in ${relative(root, place)} now`;
  try {
    await writeFileDurably(`${place}.txt`, `${code}: ${message}\n`);
    return `${said}, with the reason beside it`;
  } catch (error) {
    // A name may be as long as the file system takes.
    return `${said}; the reason cannot be written beside it: ${toError(error).message}`;
  }
}

import { realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { contains, realPath, type Home } from '../../config/home.ts';
import { codeOf } from '../../domain/errors.ts';
import { findFiles } from '../../intake/find-files.ts';
import { HttpError } from '../http-error.ts';

/** Names in input/ that contain a text, whatever its case. */
export async function listSources(
  { input }: Pick<Home, 'input'>,
  text: string,
  limit: number,
): Promise<string[]> {
  const { files } = await findFiles(input);
  const wanted = text.toLowerCase();
  const names = files
    .filter(({ unusable }) => unusable === undefined)
    .map(({ path }) => relative(input, path));
  return names.filter((name) => name.toLowerCase().includes(wanted)).slice(0, limit);
}

/**
 * The absolute path of a file that a user of the page has named: in input/, or anywhere for somebody who could read it
 * anyway.
 *
 * @param isTrusted whether the user who runs the daemon asks, on this machine
 */
export async function sourcePath(
  { input }: Pick<Home, 'input'>,
  file: string,
  isTrusted: boolean,
): Promise<string> {
  const path = resolve(input, file);
  const real = await realpath(path).catch((error: unknown) => {
    // Others must not learn which files exist elsewhere.
    if (isTrusted || contains(input, path)) throw missing(path, codeOf(error));
    throw outside();
  });
  if (!isTrusted && !contains(realPath(input), real)) throw outside();
  return real;
}

function missing(path: string, code: string): HttpError {
  return new HttpError(
    404,
    'SOURCE_MISSING',
    code === 'ENOENT' ? `${path} does not exist.` : `${path} cannot be read (${code}).`,
  );
}

function outside(): HttpError {
  return new HttpError(
    403,
    'OUTSIDE_INPUT',
    'From another machine, only files in input/ can be chosen; copy the file there.',
  );
}

import { existsSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { codeOf } from '../../domain/errors.ts';
import { createForUser } from '../../workspace/durable-file.ts';
import { halfOutputPath } from '../../workspace/half-output.ts';
import type { JobContext } from '../job-context.ts';

/** Characters that every file system accepts in a name. */
const PLAIN = /[\w .()[\]{}&+,=@#%!~'^$;/-]/g;
/** Characters that FAT, exFAT and NTFS forbid. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[<>:"|?*\\\u0000-\u001f]/g;
const NOT_ASCII = /[^ -~]/gu;
/** Errors of a file system that does not accept a name. Some FUSE file systems report ENOENT. */
const NAME_ERRORS: ReadonlySet<string> = new Set(['EINVAL', 'EILSEQ', 'ENOENT']);

/**
 * The path of an output as the file system of its folder accepts it: where that forbids a character, as FAT does with `:`
 * and `?`, it becomes `_`.
 */
export function acceptablePath(context: JobContext, path: string): string {
  const folder = nearestFolder(dirname(path));
  const wanted = relative(folder, path);
  const portable = wanted.replaceAll(FORBIDDEN, '_');
  const candidates = [wanted, portable, portable.replaceAll(NOT_ASCII, '_')];
  const accepted = candidates.find((candidate) => accepts(context, folder, candidate));
  return join(folder, accepted ?? wanted);
}

function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

/** Whether names with the characters of this path can be created in a folder; tries it if any of them is unusual. */
function accepts({ home, lease }: JobContext, folder: string, path: string): boolean {
  const unusual = [...new Set(path.replaceAll(PLAIN, ''))].slice(0, 40).join('');
  if (unusual === '') return true;
  // Named like an unfinished output, so that it is removed as such after a kill.
  const trial = `${halfOutputPath(home.id, join(folder, 'x'), lease)}.${unusual}`;
  try {
    createForUser(trial);
  } catch (error) {
    if (NAME_ERRORS.has(codeOf(error)) && existsSync(folder)) return false;
    throw error;
  }
  rmSync(trial);
  return true;
}

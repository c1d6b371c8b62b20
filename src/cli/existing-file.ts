import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ArgumentError } from '../domain/errors.ts';

/** The absolute path of a file named by the user. @throws ArgumentError if it is missing or not a regular file */
export async function existingFile(file: string): Promise<string> {
  const path = resolve(file);
  const found = await stat(path).catch((cause: unknown) => {
    throw new ArgumentError('SOURCE_MISSING', `${path} does not exist or cannot be read.`, { cause });
  });
  if (!found.isFile()) throw new ArgumentError('NOT_A_REGULAR_FILE', `${path} is not a regular file.`);
  return path;
}

/** The absolute paths of files named by the user. @throws ArgumentError with every fault */
export async function existingFiles(files: readonly string[]): Promise<string[]> {
  const found = await Promise.allSettled(files.map(existingFile));
  const faults = found.flatMap((each) => (each.status === 'rejected' ? [each.reason as ArgumentError] : []));
  const [first] = faults;
  if (first !== undefined)
    throw new ArgumentError(first.code, faults.map(({ message }) => message).join(' '), { cause: first });
  return found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputRejectedError } from '../domain/errors.ts';

/** The absolute path of a file named by the user. @throws InputRejectedError if it is missing or not a regular file */
export async function existingFile(file: string): Promise<string> {
  const path = resolve(file);
  const found = await stat(path).catch((cause: unknown) => {
    throw new InputRejectedError('SOURCE_MISSING', `${path} does not exist or cannot be read.`, { cause });
  });
  if (!found.isFile()) throw new InputRejectedError('NOT_A_REGULAR_FILE', `${path} is not a regular file.`);
  return path;
}

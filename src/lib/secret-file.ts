import { readFile, rm, writeFile } from 'node:fs/promises';
import { isMissingFile } from './file-errors.ts';

export interface SecretFile {
  /** Absolute path. */
  readonly path: string;
  /** What a whole secret looks like. */
  readonly pattern: RegExp;
  readonly make: () => string;
}

/** Reads a secret from a file that only its user can read, and makes it first if there is none. */
export async function readSecret(file: SecretFile): Promise<string> {
  const { path, pattern, make } = file;
  const found = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissingFile(error)) return null;
    throw error;
  });
  if (found !== null && pattern.test(found.trim())) return found.trim();
  // A file of another form is a torn one; its rights may be anything.
  if (found !== null) await rm(path, { force: true });
  const secret = make();
  try {
    await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return readSecret(file); // The daemon and a command may both be the first.
  }
  return secret;
}

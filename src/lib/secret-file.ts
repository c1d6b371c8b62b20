import { readFile, rm, writeFile } from 'node:fs/promises';
import { isMissingFile } from './file-errors.ts';

export interface SecretFile {
  /** Absolute path. */
  readonly path: string;
  /** What a whole secret looks like. */
  readonly pattern: RegExp;
  /** `pattern` in words, for the message about another content. */
  readonly expected: string;
  readonly make: () => string;
}

/**
 * Reads a secret from a file that only its user can read, and makes it first if there is none. A file with any other content
 * may be the user's own, so it is never replaced.
 */
export async function readSecret(file: SecretFile): Promise<string> {
  // The daemon and a command may both be the first; then the file is there the second time.
  const secret = (await readOrMake(file)) ?? (await readOrMake(file));
  if (secret !== null) return secret;
  throw new Error(`${file.path} can be neither read nor created. If it is a link, remove it.`);
}

/** @returns null if the file has appeared in the meantime, or is a link to nothing */
async function readOrMake({ path, pattern, expected, make }: SecretFile): Promise<string | null> {
  const found = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissingFile(error)) return null;
    throw error;
  });
  if (found !== null) {
    const text = found.trim();
    if (pattern.test(text)) return text;
    if (!isTorn(text))
      throw new Error(`${path} must contain ${expected}. Correct it, or remove it for a new secret.`);
    await rm(path, { force: true });
  }
  const secret = make();
  try {
    await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return null;
    throw error;
  }
  return secret;
}

/** After a power loss, a file may be empty or consist of zeros. */
function isTorn(text: string): boolean {
  return text.replaceAll('\0', '') === '';
}

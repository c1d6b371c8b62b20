import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../../config/home.ts';
import { codeOf } from '../../domain/errors.ts';
import { isMissingFile } from '../../lib/file-errors.ts';

const TOKEN_BYTES = 32;
const TOKEN = /^[\w-]{43}$/;

/** The file with the token of the page, readable by its user only. Without the file, the next start makes a new token. */
export function tokenFile({ stateDir }: Pick<Home, 'stateDir'>): string {
  return join(stateDir, 'page-token');
}

/** Reads the token of the page, and makes it first if there is none. */
export async function readToken(home: Pick<Home, 'stateDir'>): Promise<string> {
  const path = tokenFile(home);
  const found = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissingFile(error)) return null;
    throw error;
  });
  if (found !== null && TOKEN.test(found.trim())) return found.trim();
  // A file of another length is a torn one; its rights may be anything.
  if (found !== null) await rm(path, { force: true });
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  try {
    await writeFile(path, `${token}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return readToken(home); // The daemon and `framekiln page` may both be the first.
  }
  return token;
}

/** Compares two tokens in a time that does not depend on where they differ. */
export function isSameToken(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

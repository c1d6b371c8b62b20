import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import type { Home } from '../../config/home.ts';
import { readSecret } from '../../lib/secret-file.ts';

const TOKEN_BYTES = 32;

/** The file with the token of the page, readable by its user only. Without the file, the next start makes a new token. */
export function tokenFile({ stateDir }: Pick<Home, 'stateDir'>): string {
  return join(stateDir, 'page-token');
}

/** Reads the token of the page, and makes it first if there is none. */
export function readToken(home: Pick<Home, 'stateDir'>): Promise<string> {
  return readSecret({
    path: tokenFile(home),
    pattern: /^[\w-]{43}$/,
    expected: 'a token of 43 letters, digits, - and _',
    make: () => randomBytes(TOKEN_BYTES).toString('base64url'),
  });
}

/** Compares two tokens in a time that does not depend on where they differ. */
export function isSameToken(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programVersion } from '../config/program-version.ts';
import type { Home } from '../config/home.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';

/** What a machine must know to join a cluster. */
export interface Membership {
  readonly database: string;
  /** Absolute path of the shared folder. */
  readonly store: string;
  /** Version of Framekiln that all machines must have. */
  readonly version: string;
}

const PREFIX = 'kiln1.';

/** One word that can be pasted into a command. It contains the password of the database, if its address has one. */
export function encodeToken({ database, store }: Pick<Membership, 'database' | 'store'>): string {
  const text = JSON.stringify({ database, store, version: programVersion() });
  return PREFIX + Buffer.from(text).toString('base64url');
}

/** @throws ConfigurationError if the token is damaged, or from another version of Framekiln */
export function decodeToken(token: string): Membership {
  const found = token.startsWith(PREFIX) ? parse(token.slice(PREFIX.length)) : null;
  if (found === null) throw fault('The token is damaged; print it again with framekiln cluster token.');
  const own = programVersion();
  if (found.version !== own)
    throw fault(
      `The cluster has Framekiln ${found.version} and this machine ${own}; install the same version on both.`,
    );
  return found;
}

function parse(text: string): Membership | null {
  try {
    const found = JSON.parse(Buffer.from(text, 'base64url').toString()) as Partial<Membership>;
    const { database, store, version } = found;
    return typeof database === 'string' && typeof store === 'string' && typeof version === 'string'
      ? { database, store, version }
      : null;
  } catch {
    return null;
  }
}

/** The cluster that this home has joined; null if it has joined none. */
export async function readMembership({ stateDir }: Pick<Home, 'stateDir'>): Promise<Membership | null> {
  try {
    return parse(Buffer.from(await readFile(fileIn(stateDir))).toString('base64url'));
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
}

export async function writeMembership(
  { stateDir }: Pick<Home, 'stateDir'>,
  membership: Membership,
): Promise<void> {
  await writeFileDurably(fileIn(stateDir), `${JSON.stringify(membership)}\n`, 'report');
}

function fileIn(stateDir: string): string {
  return join(stateDir, 'cluster.json');
}

function fault(sentence: string): ConfigurationError {
  return new ConfigurationError(sentence, [sentence]);
}

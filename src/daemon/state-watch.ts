import { StateLostError } from '../domain/errors.ts';
import { fileIdentity } from '../lib/file-identity.ts';

/**
 * Notices that files which this process holds open, such as the database, were removed or replaced: everything written to
 * them would be lost, and another process would not see their locks.
 */
export class StateWatch {
  readonly #identities = new Map<string, string | null>();

  /** Remembers the file at `path`. Call it when the file has just been opened. */
  watch(path: string): void {
    this.#identities.set(path, fileIdentity(path));
  }

  /** Checks the watched files. @throws StateLostError if a path leads to another file or to none */
  assertKept(): void {
    for (const [path, opened] of this.#identities) {
      const found = identityNow(path);
      if (found === 'unknown' || (found !== null && found === opened)) continue;
      const what = found === null ? 'removed or moved' : 'replaced by another file';
      throw new StateLostError(
        `${path} was ${what} while Framekiln was running; start Framekiln again to continue with the files that are there now.`,
      );
    }
  }
}

/** Identity of the file at a path; `unknown` if the disk cannot answer, which does not mean that a file is lost. */
function identityNow(path: string): string | null {
  try {
    return fileIdentity(path);
  } catch {
    return 'unknown';
  }
}

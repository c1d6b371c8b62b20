import { codeOf, TransientError } from './errors.ts';

/**
 * Node's and SQLite's own errors for what passes by itself are transient errors, wherever they come up; any other error is
 * given back as it is.
 *
 * @param sourcePath a file whose own rights are no transient error, but its fault
 */
export function asTransientError(error: Error, sourcePath: string | null = null): Error {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL') {
    return new TransientError('DISK_FULL', `There is no space left: ${error.message}.`, { cause: error });
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_IOERR')) {
    return new TransientError('DISK_FULL', `The database cannot be written: ${error.message}.`, {
      cause: error,
    });
  }
  const unreadableSource = 'path' in error && error.path === sourcePath;
  if (code === 'EROFS' || ((code === 'EACCES' || code === 'EPERM') && !unreadableSource)) {
    return new TransientError('OUTPUT_READ_ONLY', `A folder cannot be written: ${error.message}.`, {
      cause: error,
    });
  }
  return error;
}

/** Whether a full disk or another's lock keeps the database from being written: it passes by itself. */
export function isTransientDatabaseError(error: unknown): boolean {
  return /^(SQLITE_(FULL|BUSY|IOERR)|ENOSPC|EDQUOT)/.test(codeOf(error));
}

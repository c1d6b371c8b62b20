import { codeOf, TransientError } from './errors.ts';

/**
 * Converts errors of Node and SQLite for conditions that end by themselves to transient errors, and returns other errors
 * unchanged.
 *
 * @param sourcePath a file whose missing permissions are its own fault, not a transient error
 */
export function asTransientError(error: Error, sourcePath: string | null = null): Error {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL') {
    return new TransientError('DISK_FULL', `No disk space left: ${error.message}.`, { cause: error });
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_IOERR')) {
    return new TransientError('DISK_FULL', `Cannot write to the database: ${error.message}.`, {
      cause: error,
    });
  }
  const unreadableSource = 'path' in error && error.path === sourcePath;
  if (code === 'EROFS' || ((code === 'EACCES' || code === 'EPERM') && !unreadableSource)) {
    return new TransientError('OUTPUT_READ_ONLY', `Cannot write to a folder: ${error.message}.`, {
      cause: error,
    });
  }
  return error;
}

/** Whether the database cannot be written for a temporary reason: a full disk, or the lock of another process. */
export function isTransientDatabaseError(error: unknown): boolean {
  return /^(SQLITE_(FULL|BUSY|IOERR)|ENOSPC|EDQUOT)/.test(codeOf(error));
}

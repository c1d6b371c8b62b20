import { codeOf, FfmpegError, TransientError } from './errors.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';

/** Errors of a network share, or of a FUSE file system, whose other end does not answer. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  ESTALE: 'Stale file handle',
  ENOTCONN: 'Transport endpoint is not connected',
  ETIMEDOUT: 'Connection timed out',
  EHOSTDOWN: 'Host is down',
  EHOSTUNREACH: 'No route to host',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  EREMOTEIO: 'Remote I/O error',
};

/** Whether an error of Node or of ffmpeg says that the other end of a network share does not answer. */
export function isUnreachable(error: Error): boolean {
  if (codeOf(error) in UNREACHABLE) return true;
  if (error.cause instanceof Error && isUnreachable(error.cause)) return true;
  return (
    error instanceof FfmpegError && Object.values(UNREACHABLE).some((text) => error.stderrTail.includes(text))
  );
}

/**
 * The transient error of a network share that does not answer, if that is what happened. On a share, EIO says the same; on
 * a local disk it is damage.
 */
export async function asUnreachable(error: Error, isOnShare: () => Promise<boolean>): Promise<Error> {
  const isInputOutput =
    codeOf(error) === 'EIO' || (error instanceof FfmpegError && /Input\/output error/.test(error.stderrTail));
  if (!isUnreachable(error) && !(isInputOutput && (await isOnShare()))) return error;
  const why = withoutFullStop(error.message);
  return new TransientError('DISK_UNREACHABLE', `A network share does not answer: ${why}.`, { cause: error });
}

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
  if (code === 'SQLITE_READONLY') {
    return new TransientError('OUTPUT_READ_ONLY', `Cannot write to the database: ${error.message}.`, {
      cause: error,
    });
  }
  const unreadableSource = 'path' in error && error.path === sourcePath;
  if (code === 'EROFS' || ((code === 'EACCES' || code === 'EPERM') && !unreadableSource)) {
    return new TransientError('OUTPUT_READ_ONLY', `Cannot use a file or folder: ${error.message}.`, {
      cause: error,
    });
  }
  return error;
}

/** Whether the database cannot be written for a temporary reason: a full or read-only disk, or the lock of another process. */
export function isTransientDatabaseError(error: unknown): boolean {
  return /^(SQLITE_(FULL|BUSY|IOERR|READONLY$)|ENOSPC|EDQUOT|EROFS)/.test(codeOf(error));
}

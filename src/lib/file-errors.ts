const NO_SUCH_FILE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/** Whether an error means that a file does not exist. A name that is too long for the file system cannot exist either. */
export function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_SUCH_FILE.has(error.code);
}

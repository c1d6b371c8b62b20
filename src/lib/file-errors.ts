const NO_SUCH_FILE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/** Whether an error says that a file is not there; a name too long for the file system names nothing, either. */
export function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_SUCH_FILE.has(error.code);
}

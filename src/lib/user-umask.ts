/** Takes all permissions from group and others. */
const PRIVATE = 0o077;

/** The umask if `createPrivately` was not called, as in tests. */
const USUAL = 0o022;

let umask: number | null = null;

/**
 * Makes all files that this process and its children create private from now on. Frames, segments, logs and the
 * database show what is in people's videos; only what is created in `asUser` gets the permissions that the user's umask
 * gives.
 *
 * @param user the umask of the user, where this process was not started by the user
 */
export function createPrivately(user?: number): void {
  const inherited = process.umask(PRIVATE);
  umask = user ?? inherited;
}

/** The umask that the user has set, for `createPrivately` in a child process. */
export function userUmask(): number {
  return umask ?? USUAL;
}

/**
 * Creates files or folders for the user, such as a finished video. An empty file that is created here and written later
 * keeps its permissions; unlike `chmod` afterwards, this respects default ACLs and the setgid bit of the folder.
 *
 * @param create must be synchronous: the umask is that of the whole process
 */
export function asUser<Result>(create: () => Result): Result {
  if (umask === null) return create();
  process.umask(umask);
  try {
    return create();
  } finally {
    process.umask(PRIVATE);
  }
}

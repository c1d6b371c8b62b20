import type { SeenFile } from '../domain/seen-file.ts';
import type { FoundFile } from './find-files.ts';

/**
 * The rule for "has stopped growing" (R19): a file is settled when two looks at least `settleMs` apart found it the
 * same. It is our own and holds for files present at start-up too, because chokidar's is not (RELIABILITY.md,
 * finding 2). The rule's state is a SeenFile in the database, so a restart goes on where it was.
 *
 * @param before what was known of the file; undefined when it is new
 * @returns what is known of it now, and whether it is settled and still has to be taken
 */
export function judge(
  before: SeenFile | undefined,
  found: FoundFile,
  nowMs: number,
  settleMs: number,
): { readonly seen: SeenFile; readonly settled: boolean } {
  const same = before?.signature === found.signature ? before : undefined;
  // A clock that was set back must not make a file wait for the time it was set back by.
  if (same === undefined || same.sinceAtMs > nowMs) {
    const state = same?.state ?? 'settling';
    const { code = null, message = null } = same ?? {};
    return { seen: { ...found, state, sinceAtMs: nowMs, code, message }, settled: false };
  }
  return { seen: same, settled: same.state === 'settling' && nowMs - same.sinceAtMs >= settleMs };
}

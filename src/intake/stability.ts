import type { SeenFile } from '../domain/seen-file.ts';
import type { FoundFile } from './find-files.ts';

/**
 * Decides whether a file has stopped growing: it is settled when two scans at least `settleMs` apart found the same
 * signature. The state is
 * a SeenFile in the database, so it survives a restart.
 *
 * @param before what was known of the file; undefined when it is new
 * @returns the new state of the file, and whether it is settled and must now be queued
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

import { secondLookMs } from '../domain/second-look.ts';
import type { SeenFile } from '../domain/seen-file.ts';
import type { FoundFile } from './find-files.ts';

/** Code of a file that a process has open for writing. It is looked at again in every scan. */
export const OPEN_FOR_WRITING = 'OPEN_FOR_WRITING';

/**
 * Decides whether a file has stopped growing: it is settled when two scans at least `settleMs` apart found the same
 * signature. If it looked incomplete then, it is settled again after `secondLookMs`. A file that was taken stays taken if
 * all that happens is that its sidecar is removed. The state is a SeenFile in the database, so it survives a restart.
 *
 * @param before what was known of the file; undefined when it is new
 * @returns the new state of the file, and whether it is settled and must now be looked into
 */
export function judge(
  before: SeenFile | undefined,
  { path, signature, unusable }: FoundFile,
  nowMs: number,
  settleMs: number,
): { readonly seen: SeenFile; readonly settled: boolean } {
  const takenSignature = before?.takenSignature ?? null;
  // Without its sidecar the file asks for nothing new: its job had another request, and is done or will be.
  if (signature === takenSignature && before?.signature !== signature) {
    const seen = { path, signature, takenSignature, state: 'taken', code: null, message: null } as const;
    return { seen: { ...seen, sinceAtMs: nowMs }, settled: false };
  }
  const same = before?.signature === signature ? before : undefined;
  // Waiting does not make a link or a pipe usable.
  const isHopeless = unusable !== undefined && same?.state !== 'rejected';
  // A clock that was set back must not make a file wait for the time it was set back by.
  if (same === undefined || same.sinceAtMs > nowMs) {
    const state = same?.state ?? 'settling';
    const { code = null, message = null } = same ?? {};
    return {
      seen: { path, signature, takenSignature, state, sinceAtMs: nowMs, code, message },
      settled: isHopeless,
    };
  }
  const hasDoubt = same.code !== null && same.code !== OPEN_FOR_WRITING;
  const isDue = nowMs - same.sinceAtMs >= (hasDoubt ? secondLookMs(settleMs) : settleMs);
  return { seen: same, settled: isHopeless || (same.state === 'settling' && isDue) };
}

import type { SeenFile } from '../domain/seen-file.ts';
import type { FoundFile } from './find-files.ts';
import { judge } from './stability.ts';

/** Stores the state of each file in the input folder. */
export interface SeenFileLedger {
  list(): SeenFile[];
  putAll(files: readonly SeenFile[]): void;
  removeAll(paths: readonly string[]): void;
}

/** A file that has stopped changing, with its row in the ledger. */
export type SettledFile = FoundFile & Pick<SeenFile, 'sinceAtMs' | 'code' | 'takenSignature'>;

/** What a scan changes in the ledger. */
export interface KnownFilesUpdate {
  /** Files that were not known before. */
  readonly added: readonly FoundFile[];
  /** Files that have stopped changing and must now be looked into. */
  readonly settled: readonly SettledFile[];
}

/** Updates the ledger with the files that a scan has found, and forgets those that are gone. */
export function updateKnownFiles(
  seenFiles: SeenFileLedger,
  found: readonly FoundFile[],
  { nowMs, settleMs }: { readonly nowMs: number; readonly settleMs: number },
): KnownFilesUpdate {
  const known = new Map(seenFiles.list().map((seen) => [seen.path, seen]));
  const judged = found.map((file) => ({ file, ...judge(known.get(file.path), file, nowMs, settleMs) }));
  seenFiles.putAll(judged.map(({ seen }) => seen).filter((seen) => known.get(seen.path) !== seen));
  const present = new Set(found.map(({ path }) => path));
  seenFiles.removeAll([...known.keys()].filter((path) => !present.has(path)));
  return {
    added: found.filter(({ path }) => !known.has(path)),
    settled: judged
      .filter(({ settled }) => settled)
      .map(({ file, seen: { sinceAtMs, code, takenSignature } }) => ({
        ...file,
        ...{ sinceAtMs, code, takenSignature },
      })),
  };
}

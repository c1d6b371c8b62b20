import { nameInInput } from '../lib/byte-name.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { SeenFileLedger, SettledFile } from './known-files.ts';
import { OPEN_FOR_WRITING } from './stability.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';

/** Why a file is not taken yet. */
export interface WaitReason {
  readonly code: string;
  readonly message: string;
}

interface WaitContext {
  readonly inputDir: string;
  readonly seenFiles: SeenFileLedger;
  readonly log: Logger;
  readonly now: () => number;
}

/** A process that has a file open for writing. */
export interface Writer {
  /** Such as `process 123 (rsync)`. */
  readonly process: string;
  /** What it writes: `it` for the file itself, or the name of a file that belongs to it. */
  readonly what: string;
}

/** Leaves a file for a scan after the process that writes it has closed it; the settling time then starts over. */
export function waitForWriter(file: SettledFile, { process, what }: Writer, context: WaitContext): void {
  const message = `${process} has ${what} open for writing`;
  // Each scan finds the writer again; one line is enough.
  if (file.code !== OPEN_FOR_WRITING)
    context.log.info(`${nameInInput(context.inputDir, file.path)} waiting: ${message}`);
  store({ ...file, sinceAtMs: context.now() }, { code: OPEN_FOR_WRITING, message }, context);
}

/**
 * Leaves a file that may be incomplete for its second look. The ledger says so, so a restart does not shorten the wait.
 *
 * @param unchangedMs how long the file must stay unchanged
 */
export function waitForSecondLook(
  file: SettledFile,
  { code, message }: WaitReason,
  unchangedMs: number,
  context: WaitContext,
): void {
  const leftSeconds = Math.ceil((file.sinceAtMs + unchangedMs - context.now()) / 1000);
  context.log.info(
    `${nameInInput(context.inputDir, file.path)} waiting: may be incomplete (${code}: ${withoutFullStop(message)}); checking again in ${leftSeconds} s`,
  );
  store(file, { code, message }, context);
}

function store(
  { path, signature, takenSignature, sinceAtMs }: SettledFile,
  reason: WaitReason,
  { seenFiles }: WaitContext,
): void {
  seenFiles.putAll([{ path, signature, takenSignature, sinceAtMs, state: 'settling', ...reason }]);
}

import { existsSync } from 'node:fs';
import { ExitCode } from '../domain/exit-codes.ts';
import { nameInInput } from '../lib/byte-name.ts';
import { counted } from '../lib/counted.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';

export interface WorkedOff {
  readonly queue: Queue;
  /** The input folder, absolute. */
  readonly inputDir: string;
  /** Files in the input folder that were rejected. */
  readonly rejected: number;
  /** Whether some of the input folder could not be scanned. */
  readonly isIncomplete: boolean;
  readonly log: Logger;
}

/** The exit code of `--once`: success only if no file in `input/` failed or was rejected, now or earlier. */
export function verdictOn({ queue, inputDir, rejected, isIncomplete, log }: WorkedOff): ExitCode {
  const undone = undoneIn(inputDir, queue);
  if (undone === 0 && rejected === 0 && !isIncomplete) {
    log.info('everything in the input folder is done');
    return ExitCode.ok;
  }
  log.error(
    `finished with errors: ${counted(undone, 'job')} not done, ${counted(rejected, 'file')} rejected before being queued${isIncomplete ? ', and not all of the input folder could be scanned' : ''}; see the log and framekiln status`,
  );
  return ExitCode.failed;
}

/** The number of files in the input folder whose latest job is not done. */
function undoneIn(inputDir: string, queue: Queue): number {
  const latest = new Map(queue.jobs.listJobs().map((job) => [job.sourcePath, job]));
  return [...latest.values()].filter(
    ({ state, sourcePath }) =>
      state !== 'done' && !nameInInput(inputDir, sourcePath).startsWith('..') && existsSync(sourcePath),
  ).length;
}

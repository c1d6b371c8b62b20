import { existsSync } from 'node:fs';
import { sep } from 'node:path';
import { ExitCode } from '../domain/exit-codes.ts';
import { counted } from '../lib/counted.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';

export interface WorkedOff {
  readonly queue: Queue;
  /** The input folder, absolute. */
  readonly inputDir: string;
  /** Files in it that could not be used. */
  readonly rejected: number;
  readonly log: Logger;
}

/** Success only if nothing that lies in `input/` failed or was rejected, now or earlier. */
export function verdictOn({ queue, inputDir, rejected, log }: WorkedOff): ExitCode {
  const undone = undoneIn(inputDir, queue);
  if (undone === 0 && rejected === 0) {
    log.info('everything in the input folder is done');
    return ExitCode.ok;
  }
  log.error(
    `the input folder is worked off, but ${counted(undone, 'job')} of it failed or did not run to the end, and ${counted(rejected, 'file')} could not be used`,
  );
  return ExitCode.failed;
}

/** Jobs that are not done and whose file still lies there; one that was replaced counts as what replaced it. */
function undoneIn(inputDir: string, queue: Queue): number {
  const latest = new Map(queue.jobs.listJobs().map((job) => [job.sourcePath, job]));
  return [...latest.values()].filter(
    ({ state, sourcePath }) =>
      state !== 'done' && sourcePath.startsWith(inputDir + sep) && existsSync(sourcePath),
  ).length;
}

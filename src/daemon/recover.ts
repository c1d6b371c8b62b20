import { basename } from 'node:path';
import type { IdentifiedHome } from '../config/home.ts';
import { isOwnerAlive } from '../lib/process/process-identity.ts';
import { steadyNowMs } from '../lib/steady-clock.ts';
import type { Logger } from '../observability/log-entry.ts';
import { measure } from '../observability/measurements.ts';
import type { Queue } from '../queue/queue.ts';
import { cleanUp } from './clean-up.ts';

/** Requeues the jobs of dead processes, removes their leftovers, and lets rejected files be checked again. */
export async function recover(home: IdentifiedHome, queue: Queue, log: Logger): Promise<void> {
  const ids = queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure: null });
  for (const job of ids.flatMap((id) => queue.jobs.getJob(id) ?? [])) {
    measure({ kind: 'recovery', of: 'interrupted-job' });
    log
      .child(basename(job.sourcePath))
      .info(
        job.origin === 'run'
          ? 'was interrupted; to resume it: repeat the framekiln run command'
          : 'was interrupted; will resume from the last checkpoint',
      );
  }
  await cleanUp(home, queue, log);
  checkRejectedFilesAgain(queue);
}

/** Limits, permissions or ffmpeg may have changed since the files were rejected. */
function checkRejectedFilesAgain({ seenFiles }: Queue): void {
  const rejected = seenFiles.list().filter(({ state }) => state === 'rejected');
  const unjudged = { state: 'settling', sinceAtMs: steadyNowMs(), code: null, message: null } as const;
  seenFiles.putAll(rejected.map((file) => ({ ...file, ...unjudged })));
}

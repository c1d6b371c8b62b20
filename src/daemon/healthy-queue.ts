import { statSync } from 'node:fs';
import type { Home } from '../config/home.ts';
import { counted } from '../lib/counted.ts';
import type { Logger } from '../observability/log-entry.ts';
import { measure } from '../observability/measurements.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import { salvageDatabase, whyDamaged } from '../queue/salvage.ts';
import { readReport, reportedJobs } from '../reports/media-report.ts';

/**
 * Opens the queue of a home. A damaged database is renamed and replaced by a new one with the rows that can still be
 * read. Finished jobs are restored from their reports. Files of all other lost jobs are found in `input/` again.
 */
export async function openHealthyQueue(home: Home, log: Logger): Promise<Queue> {
  const path = home.databaseFile;
  const damage = whyDamaged(path);
  if (damage !== null) {
    const { copy, jobs, batches } = salvageDatabase(path, Date.now());
    measure({ kind: 'recovery', of: 'database' });
    log.error(
      `the database is damaged (${damage}); recovered ${counted(jobs, 'job')} and ${counted(batches, 'checkpoint')} from it and renamed it to ${copy}`,
    );
  }
  const queue = openQueue(path);
  try {
    await restoreFinished(home, queue, log);
  } catch (error) {
    queue.close();
    throw error;
  }
  return queue;
}

/**
 * Adds the finished jobs that have a report but no row. It runs at every start, not only after damage: a repaired file
 * system may leave an empty database, and the process may have been killed between the salvage and this step.
 */
async function restoreFinished(home: Home, queue: Queue, log: Logger): Promise<void> {
  let restored = 0;
  for (const id of await reportedJobs(home)) {
    if (queue.jobs.getJob(id) !== null) continue;
    const report = await readReport(home, id);
    if (report === 'torn')
      log.warn(
        `job ${id} is missing from the database and its report is damaged; its source may be processed again`,
      );
    if (report === 'torn' || report === null) continue;
    const { fingerprint, recipe, source, output, outputSha256: sha256 } = report;
    const outputBytes = report.outputBytes ?? sizeOf(output);
    // Whether the output is there does not matter: its disk may be missing, and a user who removed it does not want another one.
    if (fingerprint === undefined || recipe === undefined) continue;
    const job = {
      ...{ id, fingerprint, recipe },
      sourcePath: source,
      outputPath: output,
      framesTotal: report.frames,
    };
    if (!queue.jobs.restoreDone(job, Date.now())) continue;
    if (sha256 !== undefined && outputBytes !== undefined)
      queue.outputs.addWritten(job, { sha256, bytes: outputBytes });
    restored++;
  }
  if (restored > 0)
    log.info(
      `restored ${counted(restored, 'finished job')} from ${restored === 1 ? 'its report' : 'their reports'}`,
    );
}

/** The size of a file in bytes; undefined if it is not there. */
function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

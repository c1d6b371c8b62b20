import { existsSync } from 'node:fs';
import type { Home } from '../config/home.ts';
import { counted } from '../lib/counted.ts';
import type { Logger } from '../observability/log-entry.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import { salvageDatabase, whyDamaged } from '../queue/salvage.ts';
import { readReport, reportedJobs } from '../reports/media-report.ts';

/**
 * The home's queue. A damaged database is set aside; what can be read of it, and finished jobs, which have their reports
 * on the disk, are brought into a new one. What is in neither is found in `input/` again.
 */
export async function openHealthyQueue(home: Home, log: Logger): Promise<Queue> {
  const path = home.databaseFile;
  const damage = whyDamaged(path);
  if (damage !== null) {
    const { setAside, jobs, batches } = salvageDatabase(path, Date.now());
    log.error(
      `the database is damaged (${damage}); it is kept as ${setAside}, and ${counted(jobs, 'job')} and ${counted(batches, 'checkpoint')} of it were saved`,
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
 * Enters the finished jobs that have a report and no row. Done at every start, not only when the database was found damaged:
 * an empty one is what a repaired file system leaves of it, and a kill may come between the salvage and this.
 */
async function restoreFinished(home: Home, queue: Queue, log: Logger): Promise<void> {
  let restored = 0;
  for (const id of await reportedJobs(home)) {
    if (queue.jobs.getJob(id) !== null) continue;
    const report = await readReport(home, id);
    if (report === 'torn')
      log.warn(`the report of job ${id} is torn, and the queue does not know the job: it may be done again`);
    if (report === 'torn' || report === null) continue;
    const { fingerprint, recipe, source, output } = report;
    if (fingerprint === undefined || recipe === undefined || !existsSync(output)) continue;
    const job = {
      ...{ id, fingerprint, recipe },
      sourcePath: source,
      outputPath: output,
      framesTotal: report.frames,
    };
    if (queue.jobs.restoreDone(job, Date.now())) restored++;
  }
  if (restored > 0) log.info(`${counted(restored, 'finished job')} restored from reports`);
}

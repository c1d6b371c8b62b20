import { existsSync, statSync } from 'node:fs';
import type { Home } from '../config/home.ts';
import { counted } from '../lib/counted.ts';
import type { Logger } from '../observability/log-entry.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import { salvageDatabase, whyDamaged } from '../queue/salvage.ts';
import { listReports } from '../worker/job-report.ts';

/**
 * The home's queue. A damaged database is set aside; what can be read of it, and finished jobs, which have their reports
 * on the disk, are brought into a new one. What is in neither is found in `input/` again.
 */
export async function openSoundQueue(home: Home, log: Logger): Promise<Queue> {
  const path = home.databaseFile;
  const damage = whyDamaged(path);
  // An empty one is what a power cut or a repaired file system leaves of it.
  const isNew = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
  if (damage !== null) {
    const { setAside, jobs, batches } = salvageDatabase(path, Date.now());
    log.error(
      `the database is damaged (${damage}); it is kept as ${setAside}, and ${counted(jobs, 'job')} and ${counted(batches, 'checkpoint')} of it were saved`,
    );
  }
  const queue = openQueue(path);
  if (damage === null && !isNew) return queue;
  let restored = 0;
  for (const { id, report } of await listReports(home)) {
    const { fingerprint, recipe, source, output } = report;
    if (fingerprint === undefined || recipe === undefined || !existsSync(output)) continue;
    const job = {
      id,
      fingerprint,
      recipe,
      sourcePath: source,
      outputPath: output,
      framesTotal: report.frames,
    };
    if (queue.jobs.restoreDone(job, Date.now())) restored++;
  }
  if (restored > 0) log.info(`${counted(restored, 'finished job')} restored from reports`);
  return queue;
}

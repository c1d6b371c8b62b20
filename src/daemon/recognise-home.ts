import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { contains, homeAt, realPath, type Home, type IdentifiedHome } from '../config/home.ts';
import type { Job } from '../domain/job.ts';
import { counted } from '../lib/counted.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import type { Logger } from '../observability/log-entry.ts';
import { homeIdIn, type HomeIdentity } from '../queue/home-store.ts';
import type { Queue } from '../queue/queue.ts';
import { renewJobFolders, stampedHomeId } from '../workspace/job-folder.ts';
import { removeRamDisksInside } from '../workspace/ram-disk.ts';

/** What became of a home since its last start. */
type Change = 'new' | 'none' | 'moved' | 'copied' | 'other-machine';

/**
 * Reads the ID of a home from its database, and notices whether the home was moved, copied or brought to another machine.
 * A moved home keeps its ID. A copy gets a new one, because its original may still be in use, and its jobs may touch no
 * file outside it until a user resumes them.
 *
 * Call it before any other use of the queue by a process that runs jobs.
 */
export async function recogniseHome(home: Home, queue: Queue, log: Logger): Promise<IdentifiedHome> {
  const known = queue.home.identity();
  const here = { path: realpathSync(home.root), machine: machineId() };
  const change = known === null ? 'new' : changeOf(known, here, home);
  if (known !== null && (change === 'none' || change === 'moved')) {
    if (change === 'moved') log.info(`this home was moved from ${known.path} to ${here.path}`);
    const identity = { id: known.id, path: here.path, machine: here.machine ?? known.machine };
    if (!isDeepStrictEqual(identity, known)) queue.home.setIdentity(identity);
    return { ...home, id: known.id };
  }
  // A database that was damaged may have lost the ID; checkpoints of this home still have it.
  const lost = known === null && isInside(home, home.jobsDir) ? await stampedHomeId(home.jobsDir) : null;
  const id = lost ?? newHomeId();
  if (known !== null) await removeRamDisksInside({ ...home, id: known.id });
  // A linked folder that a copy shares with its original remains the original's.
  if (known !== null && (change === 'other-machine' || isInside(home, home.jobsDir)))
    await renewJobFolders(home.jobsDir, { from: known.id, to: id });
  const paused = queue.inTransaction(() => {
    queue.home.setIdentity({ ...here, id });
    // In a shared output folder they are the original's.
    if (change === 'copied') queue.outputs.forgetWritten();
    return change === 'copied' ? pauseOutsideJobs(home, queue) : 0;
  });
  if (change === 'copied') log.warn(describeCopy(known?.path ?? '', paused));
  if (change === 'other-machine') log.info('this home was last used on another machine; it now has a new ID');
  return { ...home, id };
}

function isInside({ root }: Home, folder: string): boolean {
  return existsSync(folder) && contains(realpathSync(root), realpathSync(folder));
}

/** A random ID for a home. */
export function newHomeId(): string {
  return randomBytes(8).toString('hex');
}

function changeOf(known: HomeIdentity, here: Omit<HomeIdentity, 'id'>, home: Home): Change {
  // Without a machine-id nothing is known: a container has none, and the same home may be used outside it.
  if (known.machine !== null && here.machine !== null && known.machine !== here.machine)
    return 'other-machine';
  if (known.path === here.path) return 'none';
  return isInUse(known, home) ? 'copied' : 'moved';
}

/** Whether a home with this identity still exists at its path, with its own database. */
function isInUse({ id, path }: HomeIdentity, home: Home): boolean {
  const { databaseFile } = homeAt(path);
  try {
    const [original, own] = [statSync(databaseFile), statSync(home.databaseFile)];
    if (original.dev === own.dev && original.ino === own.ino) return false;
  } catch (error) {
    if (isMissingFile(error)) return false;
    // What cannot be seen may be in use.
    return true;
  }
  try {
    // Another home may have been made where this one was before.
    return homeIdIn(databaseFile) === id;
  } catch {
    return true;
  }
}

/**
 * Pauses the jobs of a copy whose source or output is outside it. Running jobs are those of the original at the time of the
 * copy; none of them runs here.
 *
 * @returns the number of jobs paused
 */
function pauseOutsideJobs(home: Home, queue: Queue): number {
  queue.sweepLeases({ isOwnerAlive: () => false, nowMs: Date.now(), failure: null });
  const root = realPath(home.root);
  // `cp -a` copies a linked input/ or output/ as a link: then these are the folders of the original.
  const isOutside = ({ sourcePath, outputPath }: Job): boolean =>
    [sourcePath, outputPath].some((path) => !contains(root, realPath(path)));
  const outside = queue.jobs.listJobs({ state: 'queued' }).filter(isOutside);
  for (const { id } of outside)
    queue.control.pauseJob(
      id,
      `belongs to the home that this one was copied from; to process it here too: framekiln resume ${id}`,
    );
  return outside.length;
}

function describeCopy(original: string, pausedCount: number): string {
  const start = `this home is a copy of ${original}; it has a new ID and uses only its own files`;
  if (pausedCount === 0) return start;
  return `${start}; paused ${counted(pausedCount, 'job')} with files outside this home (to process one here too: framekiln resume ID)`;
}

function machineId(): string | null {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim() || null;
  } catch {
    return null;
  }
}

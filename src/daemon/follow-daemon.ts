import { setTimeout as delay } from 'node:timers/promises';
import { contains, type Home } from '../config/home.ts';
import { isMoving, type Job } from '../domain/job.ts';
import { isInOwnNamespace } from '../lib/process/process-identity.ts';
import type { Queue } from '../queue/queue.ts';
import { isDaemonRunning } from './is-daemon-running.ts';
import type { StateWatch } from './state-watch.ts';

const LOOK_EVERY_MS = 250;
/** How often to check that the daemon still runs; rare, because the check takes the daemon's lock for an instant. */
const CHECK_DAEMON_EVERY_MS = 3_000;

/** `ended`: the job is not queued or running any more; `left`: the user left it with the daemon; `alone`: the daemon is gone. */
export type Followed = 'ended' | 'left' | 'alone';

export interface Follow {
  readonly home: Home;
  readonly queue: Queue;
  readonly state: StateWatch;
  readonly jobId: number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Reads the job and shows its progress. */
  readonly look: () => Job;
}

/** Hands a job of `framekiln run` over to the running daemon, and waits until it has ended. */
export async function followDaemon({ home, queue, state, jobId, signal, look }: Follow): Promise<Followed> {
  queue.control.handOver(jobId);
  for (let checkAtMs = 0; ;) {
    state.assertKept();
    if (!isMoving(look())) return 'ended';
    if (signal.aborted) return 'left';
    if (performance.now() >= checkAtMs) {
      if (!isDaemonRunning(home.lockFile)) break;
      checkAtMs = performance.now() + CHECK_DAEMON_EVERY_MS;
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  queue.control.takeBack(jobId);
  return 'alone';
}

/**
 * Whether a daemon runs that can process this job. One in a container sees the files in the home, but other folders may
 * not exist there.
 */
export function isDaemonForJob(home: Home, queue: Queue, { sourcePath, outputPath }: Job): boolean {
  if (!isDaemonRunning(home.lockFile)) return false;
  const owner = queue.home.daemon();
  const seesAll = owner === null || isInOwnNamespace(owner);
  return seesAll || [sourcePath, outputPath].every((path) => contains(home.root, path));
}

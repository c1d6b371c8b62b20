import type { LogEntry } from '../observability/log-entry.ts';

/** What the daemon says to its worker. */
export type ToWorker =
  /** Release every job, give the RAM disks back, end. */
  | { readonly kind: 'stop' }
  /** The job was paused or cancelled: its lease is gone already, let go of it now. */
  | { readonly kind: 'drop-job'; readonly jobId: number };

/** What a worker says to its daemon. */
export type FromWorker =
  | { readonly kind: 'log'; readonly entry: LogEntry }
  /** Sent every HEARTBEAT_MS from the thread that renews leases and moves bytes. */
  | { readonly kind: 'alive' }
  /** The database is damaged: the daemon sets it aside when this worker has ended. */
  | { readonly kind: 'damaged' }
  /** Everything was released and removed: the process may be killed now. */
  | { readonly kind: 'released' };

export const HEARTBEAT_MS = 2_000;

/** How a worker is started: everything that it cannot find out by itself, as one JSON argument. */
export interface WorkerStart {
  readonly homeRoot: string;
  /** Work on this job alone, then end (`framekiln run`); null: on whatever the queue has. */
  readonly onlyJobId: number | null;
  /** See WorkerOptions. */
  readonly alone: boolean;
  /** Settings as `--set` takes them; the files are read anew for each job. */
  readonly flags: readonly string[];
}

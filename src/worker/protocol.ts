import type { LogEntry } from '../observability/log-entry.ts';
import type { Measurement } from '../observability/measurements.ts';

/** Messages of the daemon to its worker. */
export type ToWorker =
  /** Release all jobs, remove their RAM disks, exit. */
  | { readonly kind: 'stop' }
  /** Stop this job: it was paused or cancelled, and its lease is already gone. */
  | { readonly kind: 'drop-job'; readonly jobId: number }
  /** Raise the number of checkpoints that the job may have (WorkerStart.commitLimit). */
  | { readonly kind: 'commit-limit'; readonly batches: number };

/** Messages of a worker to its daemon. */
export type FromWorker =
  | { readonly kind: 'log'; readonly entry: LogEntry }
  /** Sent every HEARTBEAT_MS from the thread that renews leases and moves bytes. */
  | { readonly kind: 'alive' }
  /** What the worker has measured since it last sent this, in order. */
  | { readonly kind: 'measured'; readonly measurements: readonly Measurement[] }
  /** The worker has claimed a job, so it has started properly. */
  | { readonly kind: 'claimed' }
  /** The database is damaged: the daemon replaces it once this worker has ended. */
  | { readonly kind: 'damaged' }
  /** All jobs are released and their RAM disks removed: the process may be killed now. */
  | { readonly kind: 'released' };

export const HEARTBEAT_MS = 2_000;

/** The start options of a worker, passed as one JSON argument. */
export interface WorkerStart {
  readonly homeRoot: string;
  /** Run only this job, then exit (`framekiln run`); null: whatever is queued. */
  readonly onlyJobId: number | null;
  /** Whether the worker runs one job at a time; see WorkerOptions. */
  readonly alone: boolean;
  /** Checkpoints that the job may have before it waits: its first ones are being copied elsewhere. Absent: any number. */
  readonly commitLimit?: number;
  /** The umask of the user, for `createPrivately`. */
  readonly umask: number;
  /** Settings in the form of `--set`; the configuration files are read again for each job. */
  readonly flags: readonly string[];
}

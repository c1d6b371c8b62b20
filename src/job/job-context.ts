import type { Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import type { Job, Lease } from '../domain/job.ts';
import type { DriverSilence } from '../media/encode/driver-silence.ts';
import type { EncoderSemaphore } from '../media/encode/encoder-semaphore.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import type { TransformHost } from '../inference-thread/host.ts';

/** What every phase of a job is given. */
export interface JobContext {
  readonly home: Home;
  readonly settings: Settings;
  readonly queue: Queue;
  readonly job: Job;
  readonly lease: Lease;
  readonly log: Logger;
  /** Shared by all jobs of the worker. */
  readonly encoderSemaphore: EncoderSemaphore;
  /** Shared likewise. */
  readonly driverSilence: DriverSilence;
  readonly transformHost: Pick<TransformHost, 'open' | 'openCount'>;
  /** Folders in which models are looked for, in order. */
  readonly modelFolders: readonly string[];
  /** See TransformSetup. */
  readonly traceFile: string | null;
  /** Something that ends later than the job, and before the next one begins. */
  readonly leaveBehind: (ended: Promise<void>) => void;
  /** Called after each committed batch. */
  readonly afterBatch: () => void;
  /** Aborted when the job must be let go of: stop, pause, cancel, lease lost. */
  readonly signal: AbortSignal;
}

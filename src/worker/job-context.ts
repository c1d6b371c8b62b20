import type { Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import type { Job, Lease } from '../domain/job.ts';
import type { DriverSilence } from '../media/driver-silence.ts';
import type { EncoderSlots } from '../media/encoder-slots.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import type { TransformHost } from './transform-host.ts';

/** What every phase of a job is given. */
export interface JobContext {
  readonly home: Home;
  readonly settings: Settings;
  readonly queue: Queue;
  readonly job: Job;
  readonly lease: Lease;
  readonly log: Logger;
  /** Shared by all jobs of the worker. */
  readonly encoderSlots: EncoderSlots;
  /** Shared likewise. */
  readonly driverSilence: DriverSilence;
  readonly transformHost: Pick<TransformHost, 'open' | 'openCount'>;
  /** Folders in which networks are looked for, in order. */
  readonly networkFolders: readonly string[];
  /** See TransformSetup. */
  readonly traceFile: string | null;
  /** Something that ends later than the job, and before the next one begins. */
  readonly leaveBehind: (ended: Promise<void>) => void;
  /** Called after each committed batch. */
  readonly afterBatch: () => void;
  /** Aborted when the job must be let go of: stop, pause, cancel, lease lost. */
  readonly signal: AbortSignal;
}

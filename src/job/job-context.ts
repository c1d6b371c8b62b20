import type { IdentifiedHome } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import type { Job, Lease } from '../domain/job.ts';
import type { InferenceClient } from '../inference-thread/client.ts';
import type { DriverSilence } from '../media/encode/driver-silence.ts';
import type { CountGate } from '../lib/count-gate.ts';
import type { EncoderSemaphore } from '../media/encode/encoder-semaphore.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';

/** The surroundings of one job: the same for all its stages, and read-only. */
export interface JobContext {
  readonly home: IdentifiedHome;
  readonly settings: Settings;
  readonly queue: Queue;
  readonly job: Job;
  readonly lease: Lease;
  readonly log: Logger;
  /** Limits the NVENC sessions; shared by all jobs of the worker. */
  readonly encoderSemaphore: EncoderSemaphore;
  /** Remembers that the GPU driver does not respond; shared by all jobs of the worker. */
  readonly driverSilence: DriverSilence;
  /** The job's own client of the inference thread. The caller that created it waits until it is closed. */
  readonly inference: InferenceClient;
  /** Folders searched for models, in order. */
  readonly modelFolders: readonly string[];
  /** File for the trace of inferred frames; null for none. See PipelineSetup. */
  readonly traceFile: string | null;
  /** Memory in bytes above which the worker restarts after a committed batch. */
  readonly memoryLimitBytes: number;
  /** Holds checkpoints back until earlier ones are copied elsewhere; absent: nothing does. */
  readonly commitGate?: CountGate;
  /** Aborted when the job must stop: shutdown, pause, cancel, a lost lease. */
  readonly signal: AbortSignal;
}

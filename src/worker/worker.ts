import { once } from 'node:events';
import type { IdentifiedHome } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import { LeaseLostError, StoppedError, toError } from '../domain/errors.ts';
import { InferenceThread } from '../inference-thread/inference-thread.ts';
import type { CountGate } from '../lib/count-gate.ts';
import { ownOwner } from '../lib/process/process-identity.ts';
import { DriverSilence } from '../media/encode/driver-silence.ts';
import { EncoderSemaphore } from '../media/encode/encoder-semaphore.ts';
import type { Logger } from '../observability/log-entry.ts';
import { LEASE_MS, type Claimed } from '../queue/lease-store.ts';
import type { Queue } from '../queue/queue.ts';
import { runClaimedJob } from './run-claimed-job.ts';
import { whenWritable } from './when-writable.ts';

export interface WorkerOptions {
  readonly home: IdentifiedHome;
  /** Read once for each job. */
  readonly settings: LiveSettings;
  readonly queue: Queue;
  readonly log: Logger;
  readonly modelFolders: readonly string[];
  readonly traceFile: string | null;
  /** Run only this job; null: whatever is queued. */
  readonly onlyJobId: number | null;
  /** Run one job at a time, whatever the settings say: the last worker crashed, and any of its jobs may be the cause. */
  readonly alone: boolean;
  /** Memory in bytes above which the worker restarts; far more than models and frames need on this machine. */
  readonly memoryLimitBytes: number;
  /** Holds checkpoints back; absent: nothing does. */
  readonly commitGate?: CountGate;
  /** Called after each claim. */
  readonly onClaimed: () => void;
}

/** How often the queue is checked while jobs run and there is room for another. */
const CLAIM_EVERY_MS = 500;

/**
 * Claims jobs and runs them, up to `streams.max` at a time, until there is none left or the worker is stopped. Whatever
 * happens to a job becomes one write to the queue; a job never ends the worker.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #stopping = new AbortController();
  readonly #stopped = once(this.#stopping.signal, 'abort');
  readonly #encoderSemaphore = new EncoderSemaphore(() => this.#options.settings.now().encoder.sessions);
  readonly #driverSilence = new DriverSilence(() => performance.now());
  readonly #inferenceThread = new InferenceThread();
  /** Aborts a running job, by job id. */
  readonly #running = new Map<number, AbortController>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Stops the running jobs and claims no others. */
  stop(): void {
    this.#stopping.abort(new StoppedError('The worker is stopping.'));
  }

  /** Stops one job, if it is running; its lease is already gone. */
  dropJob(jobId: number): void {
    this.#running.get(jobId)?.abort(new LeaseLostError(`Job ${jobId} was withdrawn from this worker.`));
  }

  /** Runs jobs until there is none to claim. */
  async run(): Promise<void> {
    const lanes = new Set<Promise<void>>();
    const failures: unknown[] = [];
    let wake = (): void => undefined;
    for (;;) {
      while (lanes.size < this.#maxJobs() && !this.isStopping && failures.length === 0) {
        const { log } = this.#options;
        const claimed = await whenWritable(() => this.#claim(), log, this.#stopping.signal);
        if (claimed === null) break;
        this.#options.onClaimed();
        const lane = this.#run(claimed)
          .catch((error: unknown) => failures.push(error))
          .then(() => {
            lanes.delete(lane);
            this.#running.delete(claimed.job.id);
            wake();
          });
        lanes.add(lane);
      }
      if (failures.length > 0) throw toError(failures[0]);
      if (lanes.size === 0) return;
      const hasRoom = lanes.size < this.#maxJobs() && !this.isStopping;
      // Not `Promise.race` over the lanes: that would leak a reaction for each check over the hours of a job.
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (hasRoom) setTimeout(resolve, CLAIM_EVERY_MS).unref();
      });
    }
  }

  #maxJobs(): number {
    const { settings, onlyJobId, alone } = this.#options;
    return onlyJobId !== null || alone ? 1 : settings.now().streams.max;
  }

  #claim(): Claimed | null {
    const { queue, onlyJobId } = this.#options;
    // A job that was paused and resumed may be claimable while its first lane is still stopping.
    const except = [...this.#running.keys()];
    const request = { owner: ownOwner(), nowMs: Date.now(), leaseMs: LEASE_MS, except };
    return queue.leases.claim(onlyJobId === null ? request : { ...request, onlyJobId });
  }

  async #run(claimed: Claimed): Promise<void> {
    const abort = new AbortController();
    this.#running.set(claimed.job.id, abort);
    const { closed, mustStop } = await runClaimedJob(claimed, {
      ...this.#options,
      settings: this.#options.settings.now(),
      jobsAtOnce: this.#maxJobs(),
      encoderSemaphore: this.#encoderSemaphore,
      driverSilence: this.#driverSilence,
      inferenceThread: this.#inferenceThread,
      ...{ abort, stopping: this.#stopping.signal },
    });
    if (mustStop) this.stop();
    // The job's memory is free before the next one starts; a stop waits for nothing.
    try {
      await Promise.race([closed, this.#stopped]);
    } catch (error) {
      // A hung thread ends only with its process.
      this.#options.log.error(toError(error).message);
      this.stop();
    }
  }
}

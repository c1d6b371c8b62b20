import { once } from 'node:events';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Home } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import type { Settings } from '../config/settings.ts';
import {
  codeOf,
  EngineError,
  FfmpegError,
  InputRejectedError,
  LeaseLostError,
  ModelError,
  TransientError,
  SharedThreadError,
  StoppedError,
  toError,
  VerificationError,
} from '../domain/errors.ts';
import { asTransientError, isTransientDatabaseError } from '../domain/transient-errors.ts';
import type { Job, Lease } from '../domain/job.ts';
import { ownOwner } from '../lib/process-identity.ts';
import { DriverSilence } from '../media/encode/driver-silence.ts';
import { EncoderSemaphore } from '../media/encode/encoder-semaphore.ts';
import type { Logger } from '../observability/log-entry.ts';
import { LEASE_MS, type Claimed } from '../queue/lease-store.ts';
import type { Queue } from '../queue/queue.ts';
import { isDamage } from '../queue/salvage.ts';
import { JobFolder } from '../workspace/job-folder.ts';
import { ramDiskPlaces, removeRamDiskOf } from '../workspace/ram-disk.ts';
import { runJob } from '../job/run-job.ts';
import { keepLease } from './lease-keeper.ts';
import { TransformHost } from '../inference-thread/host.ts';
import { quarantineSource } from '../workspace/quarantine-source.ts';

/** A transient error (a full disk) is looked at again after this time. */
const TRANSIENT_WAIT_MS = 30_000;

export interface WorkerOptions {
  readonly home: Home;
  /** Looked at once for each job. */
  readonly settings: LiveSettings;
  readonly queue: Queue;
  readonly log: Logger;
  readonly modelFolders: readonly string[];
  readonly traceFile: string | null;
  readonly onlyJobId: number | null;
  /** One job at a time, whatever the settings say: the last worker died, and it is not known of which job. */
  readonly alone: boolean;
  /** A worker that holds more is started anew. Models and frames of what fits a machine stay far below it. */
  readonly memoryLimitBytes: number;
}

/** While a job runs and there is room for another, the queue is looked at this often. */
const LOOK_EVERY_MS = 500;
/** A database that cannot be written now is tried again this often. */
const WRITE_AGAIN_MS = 1_000;

/**
 * Claims jobs and does them, `streams.max` at a time, until there is none to claim or it is stopped. Whatever happens to
 * a job ends here as one write to the queue; a worker never ends because of a job.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #stopping = new AbortController();
  readonly #stopped = once(this.#stopping.signal, 'abort');
  readonly #encoderSemaphore = new EncoderSemaphore(() => this.#options.settings.now().encoder.sessions);
  readonly #driverSilence = new DriverSilence(() => performance.now());
  readonly #transformHost = new TransformHost();
  /** Of the jobs in work, by id. */
  readonly #running = new Map<number, AbortController>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Works until there is nothing to claim. */
  async run(): Promise<void> {
    const lanes = new Set<Promise<void>>();
    let wake = (): void => undefined;
    const defects: unknown[] = [];
    for (;;) {
      while (lanes.size < this.#streams() && !this.isStopping && defects.length === 0) {
        const claimed = await this.#whenWritable(() => this.#claim());
        if (claimed === null) break;
        const lane = this.#do(claimed.job, claimed.lease)
          .catch((error: unknown) => defects.push(error))
          .then(() => {
            lanes.delete(lane);
            this.#running.delete(claimed.job.id);
            wake();
          });
        lanes.add(lane);
      }
      if (defects.length > 0) throw toError(defects[0]);
      if (lanes.size === 0) return;
      const hasRoom = lanes.size < this.#streams() && !this.isStopping;
      // Not a race of the lanes: each would keep a trace of every look for the hours that it lasts.
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (hasRoom) setTimeout(resolve, LOOK_EVERY_MS).unref();
      });
    }
  }

  #streams(): number {
    const { settings, onlyJobId, alone } = this.#options;
    return onlyJobId !== null || alone ? 1 : settings.now().streams.max;
  }

  #claim(): Claimed | null {
    const { queue, onlyJobId } = this.#options;
    // A job that was paused and resumed may be claimable while its first lane still lets go of it.
    const except = [...this.#running.keys()];
    const request = { owner: ownOwner(), nowMs: Date.now(), leaseMs: LEASE_MS, except };
    return queue.leases.claim(onlyJobId === null ? request : { ...request, onlyJobId });
  }

  /**
   * Writes to the queue as soon as it can be written. Without this a full disk would end the worker, which costs the
   * jobs in work a try (R14).
   *
   * @returns null when the worker is stopped first
   */
  async #whenWritable<Result>(write: () => Result): Promise<Result | null> {
    for (let isFirst = true; ; isFirst = false) {
      try {
        return write();
      } catch (error) {
        if (!isTransientDatabaseError(error)) throw error;
        if (isFirst)
          this.#options.log.warn(
            `The queue cannot be written: ${toError(error).message}. It is tried again until it can.`,
          );
        if (this.isStopping) return null;
        const { signal } = this.#stopping;
        await delay(WRITE_AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Lets go of the jobs in work and claims no other. */
  stop(): void {
    this.#stopping.abort(new StoppedError('The worker is stopping.'));
  }

  /**
   * Memory that a library does not give back would take the machine down in a month. Looked at behind a committed batch,
   * so that every worker brings its jobs on, however much they need.
   */
  #assertMemory(): void {
    const heldBytes = process.memoryUsage.rss();
    const { memoryLimitBytes, log } = this.#options;
    if (heldBytes <= memoryLimitBytes || this.isStopping) return;
    const [held, limit] = [heldBytes, memoryLimitBytes].map((bytes) => Math.round(bytes / 1024 ** 2));
    log.warn(`The worker holds ${held} MB of memory, more than ${limit} MB; it is started anew.`);
    this.stop();
  }

  /** Lets go of this job if it is in work; its lease is gone already. */
  dropJob(jobId: number): void {
    this.#running.get(jobId)?.abort(new LeaseLostError(`Job ${jobId} was taken back.`));
  }

  async #do(job: Job, lease: Lease): Promise<void> {
    const { queue } = this.#options;
    const log = this.#options.log.child(basename(job.sourcePath));
    const abort = new AbortController();
    this.#running.set(job.id, abort);
    const left: Promise<void>[] = [];
    const signal = AbortSignal.any([this.#stopping.signal, abort.signal]);
    const keeper = keepLease(queue, lease, (error) => abort.abort(error));
    try {
      await runJob({
        ...this.#options,
        ...{ settings: this.#settingsForOne(), job, lease, log, signal },
        ...{ encoderSemaphore: this.#encoderSemaphore, driverSilence: this.#driverSilence },
        ...{ transformHost: this.#transformHost },
        leaveBehind: (each) => left.push(each),
        afterBatch: () => this.#assertMemory(),
      });
    } catch (error) {
      // A stop shows itself as whatever was under way; its reason is the truth.
      await this.#settle(job, lease, log, signal.aborted ? signal.reason : error);
    } finally {
      keeper.close();
      const { opened, closed, failed, fallenBack } = this.#encoderSemaphore.counts;
      if (opened > 0 || fallenBack > 0)
        log.info(
          `NVENC sessions so far: ${opened} opened, ${closed} closed, ${failed} failed, ${fallenBack} encodings in software instead`,
        );
    }
    // Its memory is free before the next job begins; a stop waits for nothing.
    try {
      await Promise.race([Promise.all(left), this.#stopped]);
    } catch (error) {
      // A thread that hangs ends with its process alone.
      this.#options.log.error(toError(error).message);
      this.stop();
    }
  }

  /** Jobs that run at once share the memory that frames may take. */
  #settingsForOne(): Settings {
    const settings = this.#options.settings.now();
    const { workspace } = settings;
    const memoryFraction = workspace.memoryFraction / this.#streams();
    return { ...settings, workspace: { ...workspace, memoryFraction } };
  }

  /** Writes down what became of a job that was not finished. */
  async #settle(job: Job, lease: Lease, log: Logger, caught: unknown): Promise<void> {
    // No job is to blame, and nothing may be written any more: this worker ends.
    if (isDamage(caught)) throw toError(caught);
    const error = asTransientError(toError(caught), job.sourcePath);
    const frames = ramDiskPlaces(this.#options.home.stateDir);
    try {
      const willRetry = (await this.#whenWritable(() => this.#write(job, lease, log, error))) ?? true;
      // Frames that a failed try leaves on the RAM disk are used again by the next one.
      if (!willRetry) await removeRamDiskOf(frames, job.id);
      if (error instanceof InputRejectedError) await this.#setAside(job, log, error);
    } catch (lost) {
      if (!(lost instanceof LeaseLostError)) throw lost;
      await this.#forget(job, log);
    }
  }

  /** @returns whether the same job will soon be tried again */
  #write(job: Job, lease: Lease, log: Logger, error: Error): boolean {
    const { queue, settings } = this.#options;
    const nowMs = Date.now();
    const failure = { code: codeOf(error), message: error.message, nowMs };
    const unjudged = {
      countAttempt: false,
      notBeforeAtMs: null,
      note: null,
      errorCode: null,
      errorMessage: null,
    };
    if (error instanceof LeaseLostError || error instanceof SharedThreadError) throw error;
    if (error instanceof StoppedError) {
      queue.leases.release(lease, unjudged);
      log.info('stopped; it goes on after its last committed batch');
      return false;
    }
    if (error instanceof TransientError) {
      queue.leases.release(lease, {
        ...unjudged,
        notBeforeAtMs: nowMs + TRANSIENT_WAIT_MS,
        note: `waiting: ${error.message}`,
      });
      log.warn(
        `${error.message} Waiting; it is tried again every ${TRANSIENT_WAIT_MS / 1000} s and uses up no try.`,
      );
      return false;
    }
    if (error instanceof InputRejectedError || error instanceof ModelError) {
      queue.leases.fail(lease, failure);
      queue.events.addEvent(job.id, { atMs: nowMs, kind: 'rejected', message: error.message });
      log.error(`rejected (${error.code}): ${error.message}`);
      return false;
    }
    const outcome = queue.leases.failAttempt(lease, { ...failure, maxAttempts: settings.now().attempts });
    queue.events.addEvent(job.id, { atMs: nowMs, kind: 'attempt-failed', message: error.message });
    const known =
      error instanceof FfmpegError || error instanceof VerificationError || error instanceof EngineError;
    // What we did not foresee wants its stack; what we did is told by its sentence.
    log.error(`this try failed: ${known ? error.message : (error.stack ?? error.message)}`);
    if (outcome === 'failed')
      log.error(`set aside (${failure.code}); \`framekiln retry ${job.id}\` tries it again`);
    return outcome === 'queued';
  }

  async #setAside(job: Job, log: Logger, error: InputRejectedError): Promise<void> {
    const { home, settings } = this.#options;
    if (job.origin !== 'watch' || settings.now().intake.rejected === 'keep') return;
    const said = await quarantineSource(home.root, job.sourcePath, error, String(job.id));
    if (said !== null) log.info(said);
  }

  /** The job is not ours any more: paused, cancelled, or another worker's. */
  async #forget(job: Job, log: Logger): Promise<void> {
    const { home, queue } = this.#options;
    const state = queue.jobs.getJob(job.id)?.state;
    log.info(state === 'running' ? 'another worker has it now' : `let go of (${state ?? 'deleted'})`);
    if (state === 'running') return;
    await removeRamDiskOf(ramDiskPlaces(home.stateDir), job.id);
    if (state === 'cancelled') await new JobFolder(home.jobsDir, job.id).remove();
  }
}

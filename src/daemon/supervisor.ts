import { toError, WorkerFailingError } from '../domain/errors.ts';
import { isOwnerOfPid } from '../lib/process/process-identity.ts';
import { userUmask } from '../lib/user-umask.ts';
import type { RootLogger } from '../observability/logger.ts';
import type { WorkerStart } from '../worker/protocol.ts';
import { RestartPolicy } from './restart-policy.ts';
import { WorkerProcess, type WorkerExit } from './worker-process.ts';

/** The end of a worker. */
export interface WorkerEnd extends WorkerExit {
  /** Whether this worker owned a lease. */
  readonly wasOwner: (owner: string) => boolean;
}

export interface SupervisorOptions {
  readonly start: Omit<WorkerStart, 'alone' | 'umask'>;
  readonly log: RootLogger;
  /** Called after a worker has ended and before the next one may start. */
  readonly onEnded: (end: WorkerEnd) => void;
}

/**
 * Keeps at most one worker running. States:
 *
 * - idle → running: `ensureRunning`, unless a restart has to wait.
 * - running → idle: the worker found nothing to claim and exited with 0, or it was paused.
 * - running → waiting: it crashed, hung, was killed or claimed no job; waiting → idle after a pause that doubles each time.
 * - any → stopped: `stop`; no worker is started again.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #restarts = new RestartPolicy();
  #worker: WorkerProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #isStopped = false;
  #commitLimit: number | null = null;
  #foundDamage = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#worker !== null;
  }

  /** Whether a worker found the database damaged. */
  get foundDamage(): boolean {
    return this.#foundDamage || this.#worker?.foundDamage === true;
  }

  /** Process ID of the worker, or null if none is running. */
  get pid(): number | null {
    return this.#worker?.pid ?? null;
  }

  /**
   * Starts a worker unless one is running, the back-off has not passed, or `stop` was called.
   *
   * @param alone whether the worker runs one job at a time
   */
  ensureRunning(alone: boolean): void {
    const startedAtMs = performance.now();
    if (
      this.#worker !== null ||
      this.#isStopped ||
      this.#restarts.hasGivenUp ||
      !this.#restarts.mayStart(startedAtMs)
    )
      return;
    const { start, log } = this.#options;
    const limit = this.#commitLimit === null ? {} : { commitLimit: this.#commitLimit };
    const worker = new WorkerProcess({ start: { ...start, ...limit, alone, umask: userUmask() }, log });
    this.#worker = worker;
    this.#ended = worker.exit.then((exit) => this.#onExit(worker, exit, startedAtMs));
  }

  /** Checks that workers start. @throws WorkerFailingError if they end again and again without claiming a job */
  assertStarting(): void {
    if (this.#restarts.hasGivenUp)
      throw new WorkerFailingError(
        'The worker ended several times in a row without starting a job; check the log for the cause, then start Framekiln again.',
      );
  }

  /** Sets how many checkpoints the job may have before it waits; a later call may only raise it. */
  setCommitLimit(batches: number): void {
    if (this.#commitLimit === batches) return;
    this.#commitLimit = batches;
    this.#worker?.send({ kind: 'commit-limit', batches });
  }

  /** Tells the worker that it has lost a job (pause, cancel). */
  dropJob(jobId: number): void {
    this.#worker?.send({ kind: 'drop-job', jobId });
  }

  /** Resolves when the current worker, if any, has ended. */
  ended(): Promise<void> {
    return this.#ended;
  }

  /** Asks the worker to release its jobs and exit; another may be started later. */
  pause(): void {
    this.#worker?.send({ kind: 'stop' });
  }

  /** Stops the worker and starts no other. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#worker?.stop();
    await this.#ended;
  }

  #onExit(worker: WorkerProcess, exit: WorkerExit, startedAtMs: number): void {
    const { onEnded, log } = this.#options;
    const { pid } = worker;
    this.#foundDamage ||= worker.foundDamage;
    this.#worker = null;
    this.#restarts.workerEnded({ ...exit, startedAtMs, nowMs: performance.now() });
    try {
      onEnded({ ...exit, wasOwner: (owner) => isOwnerOfPid(owner, pid) });
    } catch (error) {
      // The database is locked, for example. The leases expire, and `stop` must not wait forever.
      log.error(`cannot record that the worker ended: ${toError(error).message}`);
    }
  }
}

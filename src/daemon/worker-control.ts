import type { IdentifiedHome } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import { toError } from '../domain/errors.ts';
import { SleepInhibitor } from '../hardware/sleep-inhibitor.ts';
import { isOwnerAlive, isOwnerOfPid } from '../lib/process/process-identity.ts';
import { isWithin } from '../lib/process/process-tree.ts';
import type { RootLogger } from '../observability/logger.ts';
import { measure } from '../observability/measurements.ts';
import type { Queue } from '../queue/queue.ts';
import { cleanUp } from './clean-up.ts';
import { DiskWatch } from './disk-watch.ts';
import { GpuWatch } from './gpu-watch.ts';
import { Supervisor, type WorkerEnd } from './supervisor.ts';
import { Throttling } from './throttling.ts';
import { logEndOfAttempt, mustRunAlone, requeueJobsOf } from './worker-end.ts';

export interface WorkerControlOptions {
  readonly home: IdentifiedHome;
  readonly settings: LiveSettings;
  readonly queue: Queue;
  readonly log: RootLogger;
  /** Whether jobs have to wait because the speed of this machine is being measured. */
  readonly isMeasuring: () => boolean;
}

/**
 * Decides on every tick of the daemon whether a worker should run, and cleans up after each worker. States:
 *
 * - idle → working: a job can be claimed and no pause applies, so the supervisor starts a worker.
 * - working → idle: the worker found no more jobs and exited.
 * - working → cleaning up → idle: the worker crashed; its leftovers are removed before the next worker starts.
 * - idle, working ⇄ throttled: a read-only disk, quiet hours or the GPU pause the work; a running worker is asked to stop.
 * - any → stopped: `stop`.
 */
export class WorkerControl {
  readonly #options: WorkerControlOptions;
  readonly #supervisor: Supervisor;
  readonly #disks: DiskWatch;
  readonly #gpu: GpuWatch;
  readonly #throttling: Throttling;
  readonly #inhibitor = new SleepInhibitor();
  /** Whether a worker crashed, so that its leftovers must be removed before the next one starts. */
  #hasLeftovers = false;
  #crash: { readonly how: string; readonly atMs: number } | null = null;
  /** Whether the next worker runs one job at a time. */
  #nextRunsAlone = false;

  constructor(options: WorkerControlOptions) {
    const { home, settings, queue, log } = options;
    this.#options = options;
    this.#disks = new DiskWatch([home.stateDir, home.jobsDir, home.output], () => performance.now());
    this.#gpu = new GpuWatch({
      isOurs: (pid) => isWithin(pid, process.pid),
      onNote: (sentence) => log.warn(sentence),
      now: () => performance.now(),
    });
    this.#throttling = new Throttling({ disks: this.#disks, gpu: this.#gpu, control: queue.control, log });
    this.#supervisor = new Supervisor({
      start: { homeRoot: home.root, onlyJobId: null, flags: settings.sources.flags ?? [] },
      log,
      onEnded: (end) => this.#afterWorker(end),
    });
  }

  /** Whether no worker runs and nothing is left to clean up. */
  get isIdle(): boolean {
    return !this.#hasLeftovers && !this.#supervisor.isRunning;
  }

  /** Whether a worker found the database damaged. */
  get foundDamage(): boolean {
    return this.#supervisor.foundDamage;
  }

  /** The last crash of the worker, with its time by `performance.now`; null if it never crashed. */
  get crash(): { readonly how: string; readonly atMs: number } | null {
    return this.#crash;
  }

  /** A folder whose read-only file system pauses work; null if there is none. */
  get readOnlyFolder(): string | null {
    return this.#disks.readOnly;
  }

  /** Checks that workers start. @throws WorkerFailingError if they end again and again without claiming a job */
  assertStarting(): void {
    this.#supervisor.assertStarting();
  }

  /** Requeues abandoned jobs, removes the leftovers of a crash, and starts or pauses the worker. */
  async tick(): Promise<void> {
    const { home, queue, log, settings, isMeasuring } = this.#options;
    const supervisor = this.#supervisor;
    const nowMs = Date.now();
    await this.#disks.look(supervisor.isRunning || queue.leases.hasClaimable(nowMs));
    // Before anything is written, which a read-only disk prevents.
    const mustPause = this.#throttling.shouldPause(settings.now(), supervisor.isRunning);
    if (mustPause) supervisor.pause();
    // The leases of our own worker are left to `#afterWorker`, which knows whether it crashed.
    const spare = (owner: string): boolean => isOwnerOfPid(owner, supervisor.pid);
    queue.sweepLeases({ isOwnerAlive, spare, nowMs, failure: null });
    if (this.#hasLeftovers && !supervisor.isRunning) {
      this.#hasLeftovers = false;
      await cleanUp(home, queue, log);
    }
    if (!mustPause && !isMeasuring() && queue.leases.hasClaimable(Date.now()))
      supervisor.ensureRunning(this.#nextRunsAlone);
    this.#inhibitor.set(settings.now().throttling.inhibitSleep && supervisor.isRunning);
  }

  /** Whether the speed of this machine may be measured: nothing pauses work, and no worker runs. */
  mayMeasure(): boolean {
    const { queue, settings } = this.#options;
    if (this.#supervisor.isRunning || queue.control.isQueuePaused()) return false;
    return !this.#throttling.shouldPause(settings.now(), false);
  }

  /** Tells the worker that it has lost a job (pause, cancel). */
  dropJob(jobId: number): void {
    this.#supervisor.dropJob(jobId);
  }

  /** Stops the worker and starts no other. */
  async stop(): Promise<void> {
    this.#gpu.close();
    await this.#supervisor.stop();
    this.#inhibitor.set(false);
  }

  #afterWorker(end: WorkerEnd): void {
    const { queue, log, settings } = this.#options;
    if (end.crashed) {
      log.error(end.notice);
      measure({ kind: 'recovery', of: 'worker' });
      this.#crash = { how: end.how, atMs: performance.now() };
    }
    this.#hasLeftovers ||= end.crashed;
    try {
      this.#nextRunsAlone = mustRunAlone(end, queue);
      const isCharged = !this.#nextRunsAlone && !this.#supervisor.foundDamage;
      for (const job of requeueJobsOf(end, { queue, attempts: settings.now().attempts, isCharged }))
        logEndOfAttempt(job, log);
    } catch (error) {
      // A full disk, for example: the next tick requeues the jobs.
      log.error(`cannot record that the worker ended: ${toError(error).message}; retrying`);
    }
  }
}

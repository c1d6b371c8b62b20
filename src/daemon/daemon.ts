import { setTimeout as delay } from 'node:timers/promises';
import { serviceManager } from '../config/environment.ts';
import type { Home } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import type { AddRequest } from '../domain/add-request.ts';
import { DatabaseDamagedError, toError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { SleepInhibitor } from '../hardware/sleep-inhibitor.ts';
import type { Intake } from '../intake/intake.ts';
import { isOwnerAlive, parseOwner } from '../lib/process/process-identity.ts';
import { isWithin } from '../lib/process/process-tree.ts';
import type { RootLogger } from '../observability/logger.ts';
import type { Queue } from '../queue/queue.ts';
import { isDamage } from '../queue/salvage.ts';
import { addFile } from './add-file.ts';
import { cleanUp, releaseRamDisks } from './clean-up.ts';
import { CommandRunner } from './command-runner.ts';
import { createIntake } from './create-intake.ts';
import { Estimator } from './estimator.ts';
import { GpuWatch } from './gpu-watch.ts';
import { hasOpenJobs } from './has-open-jobs.ts';
import { removeJobFiles, removeJobFrames } from './housekeeping.ts';
import { recover } from './recover.ts';
import { ServiceNotifier } from './service-notifier.ts';
import { Supervisor, type WorkerEnd } from './supervisor.ts';
import { Throttling } from './throttling.ts';
import { verdictOn } from './verdict.ts';
import { mustRunAlone, requeueJobsOf } from './worker-end.ts';

/** How often the daemon checks commands, leases and the queue: a few indexed statements each time. */
const TICK_MS = 250;
/** Pause after a tick that could not use the queue. */
const RETRY_MS = 1000;

export interface DaemonOptions {
  readonly home: Home;
  readonly settings: LiveSettings;
  /** Exit when everything in `input/` has been processed. */
  readonly once: boolean;
  readonly log: RootLogger;
  /** Aborted by SIGTERM and Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * The daemon while one connection to the queue is open. States:
 *
 * - recovering → idle: the jobs of dead processes are requeued and their leftovers removed. Intake and commands start.
 * - idle → working: a job can be claimed, so the supervisor starts a worker.
 * - working → idle: the worker found no more jobs and exited.
 * - working → cleaning up → idle: the worker crashed; its leftovers are removed before the next worker starts.
 * - idle, working ⇄ throttled: quiet hours or the GPU pause the work. The worker is stopped; intake and commands continue.
 * - idle, working, throttled → stopping: `signal` was aborted, or with `once` nothing is left to do.
 * - stopping → ended: the worker, the intake, the commands and systemd's notifications have ended; `run` resolves.
 * - any → damaged: the worker, the intake, a command or a tick found the database damaged. Everything ends as in stopping,
 *   and `run` rejects, so that `withHealthyQueue` replaces the database and starts another Daemon.
 *
 * A full disk or a locked database changes no state: the tick is repeated after a second.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #queue: Queue;
  readonly #intake: Intake;
  readonly #supervisor: Supervisor;
  readonly #commands: CommandRunner;
  readonly #notifier: ServiceNotifier;
  readonly #inhibitor = new SleepInhibitor();
  readonly #gpu: GpuWatch;
  readonly #throttling: Throttling;
  /** A worker crashed, and its leftovers must be removed before the next one starts. */
  #hasLeftovers = false;
  /** Whether the next worker runs one job at a time. */
  #nextWorkerRunsAlone = false;

  constructor(options: DaemonOptions, queue: Queue) {
    const { home, settings, log } = options;
    this.#options = options;
    this.#queue = queue;
    this.#gpu = new GpuWatch({
      isOurs: (pid) => isWithin(pid, process.pid),
      onNote: (sentence) => log.warn(sentence),
      now: () => performance.now(),
    });
    this.#throttling = new Throttling({ gpu: this.#gpu, control: queue.control, log });
    this.#notifier = new ServiceNotifier(serviceManager(), (sentence) => log.warn(sentence));
    this.#supervisor = new Supervisor({
      start: { homeRoot: home.root, onlyJobId: null, flags: settings.sources.flags ?? [] },
      log,
      onEnded: (end) => this.#afterWorker(end),
    });
    const estimator = new Estimator({
      queue,
      settings: () => settings.now(),
      now: () => performance.now(),
    });
    this.#intake = createIntake({ home, settings, queue, estimator, log });
    this.#commands = this.#createCommands(estimator);
  }

  async run(): Promise<ExitCode> {
    const { home, log } = this.#options;
    log.info(`Framekiln is watching ${home.input}; finished videos appear in ${home.output}`);
    await recover(home, this.#queue, log);
    this.#notifier.ready();
    // Not awaited: queuing ten thousand files takes long, and jobs, commands and a stop must not wait for it.
    const firstScan = this.#intake.start();
    try {
      await this.#loop();
    } finally {
      await this.#shutDown(firstScan);
    }
    return this.#exitCode();
  }

  /** Resolves when the daemon is stopped, or with `once` when nothing is left to do. */
  async #loop(): Promise<void> {
    const { signal, once } = this.#options;
    for (;;) {
      await this.#tick();
      this.#notifier.alive(performance.now());
      if (signal.aborted || (once && this.#isFinished())) return;
      await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #tick(): Promise<void> {
    const { log, settings, signal } = this.#options;
    try {
      this.#assertUndamaged();
      settings.now(); // Reloads a changed file, so that its errors are logged now and not with the next job.
      this.#commands.runWaiting();
      await this.#driveWorker();
    } catch (error) {
      if (isDamage(error)) throw error;
      // A full disk or a locked database is transient and must not stop the daemon.
      log.error(`cannot use the queue: ${toError(error).message}; retrying`);
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Throws if the worker, the intake or a command has found the database damaged since the last tick. */
  #assertUndamaged(): void {
    if (isDamage(this.#intake.failure)) throw toError(this.#intake.failure);
    if (isDamage(this.#commands.failure)) throw toError(this.#commands.failure);
    if (this.#supervisor.foundDamage)
      throw new DatabaseDamagedError('The worker could not read the database.');
  }

  /** Requeues abandoned jobs, removes the leftovers of a crash, and starts or stops the worker. */
  async #driveWorker(): Promise<void> {
    const { home, log, settings } = this.#options;
    const queue = this.#queue;
    const supervisor = this.#supervisor;
    // The leases of our own worker are left to `#afterWorker`, which knows whether it crashed.
    const spare = (owner: string): boolean => parseOwner(owner)?.pid === supervisor.pid;
    queue.sweepLeases({ isOwnerAlive, spare, nowMs: Date.now(), failure: null });
    if (this.#hasLeftovers && !supervisor.isRunning) {
      this.#hasLeftovers = false;
      await cleanUp(home, queue, log);
    }
    if (this.#throttling.shouldPause(settings.now(), supervisor.isRunning)) supervisor.pause();
    else if (queue.leases.hasClaimable(Date.now())) supervisor.ensureRunning(this.#nextWorkerRunsAlone);
    this.#inhibitor.set(settings.now().throttling.inhibitSleep && supervisor.isRunning);
  }

  #afterWorker(end: WorkerEnd): void {
    const { log, settings } = this.#options;
    if (end.crashed)
      log.error(`worker crashed (${end.how}); its jobs will resume from their last checkpoint`);
    this.#hasLeftovers ||= end.crashed;
    const queue = this.#queue;
    try {
      this.#nextWorkerRunsAlone = mustRunAlone(end, queue);
      const isCharged = !this.#nextWorkerRunsAlone && !this.#supervisor.foundDamage;
      requeueJobsOf(end, { queue, attempts: settings.now().attempts, isCharged });
    } catch (error) {
      // A full disk, for example: the next tick requeues the jobs.
      log.error(`cannot record the end of the worker: ${toError(error).message}; retrying`);
    }
  }

  #createCommands(estimator: Estimator): CommandRunner {
    const { home, log, settings, signal } = this.#options;
    const queue = this.#queue;
    return new CommandRunner({
      queue,
      log,
      dropJob: (id) => this.#supervisor.dropJob(id),
      removeFiles: (id) => removeJobFiles(home, id),
      removeFrames: (id) => removeJobFrames(home, id),
      add: (argument) =>
        addFile(argument as AddRequest, { queue, home, limits: settings.now().limits, signal, estimator }),
    });
  }

  /** Whether no file is settling and no job is queued or running. */
  #isFinished(): boolean {
    const isBusy =
      !this.#intake.hasScanned ||
      this.#intake.settlingCount > 0 ||
      this.#commands.isAdding ||
      this.#hasLeftovers ||
      this.#supervisor.isRunning;
    return !isBusy && !hasOpenJobs(this.#queue);
  }

  async #shutDown(firstScan: Promise<void>): Promise<void> {
    const { home, log } = this.#options;
    this.#notifier.stopping();
    this.#gpu.close();
    // Concurrent, because the worker takes longest to stop.
    await Promise.all([this.#supervisor.stop(), this.#intake.close()]);
    this.#inhibitor.set(false);
    await Promise.all([firstScan, this.#commands.settled()]);
    await releaseRamDisks(home, this.#queue, log);
    await this.#notifier.settled();
  }

  #exitCode(): ExitCode {
    const { home, log, signal, once } = this.#options;
    const rejected = this.#intake.rejectedCount;
    if (!signal.aborted) return verdictOn({ queue: this.#queue, inputDir: home.input, rejected, log });
    log.info('stopped; unfinished jobs will resume from their last checkpoint');
    return once ? ExitCode.stopped : ExitCode.ok;
  }
}

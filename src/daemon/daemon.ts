import { setTimeout as delay } from 'node:timers/promises';
import { serviceManager } from '../config/environment.ts';
import type { IdentifiedHome } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import type { Settings } from '../config/settings.ts';
import type { AddRequest } from '../domain/add-request.ts';
import { DatabaseDamagedError, toError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import type { GpuUse } from '../hardware/gpu-use.ts';
import type { Intake } from '../intake/intake.ts';
import type { RootLogger } from '../observability/logger.ts';
import type { Queue } from '../queue/queue.ts';
import { isDamage } from '../queue/salvage.ts';
import type { Speeds } from '../trial/speeds-file.ts';
import { addFile } from './add-file.ts';
import { releaseRamDisks } from './clean-up.ts';
import { CommandRunner } from './command-runner.ts';
import { createIntake } from './create-intake.ts';
import { Estimator } from './estimator.ts';
import { NewJobEstimates } from './new-job-estimates.ts';
import { judgeHealth, type Health } from './health.ts';
import { HookRunner } from './hooks/hook-runner.ts';
import { openJobs } from './open-jobs.ts';
import { removeJobFiles, removeJobFrames } from './housekeeping.ts';
import { recover } from './recover.ts';
import { ServiceNotifier } from './service-notifier.ts';
import { SourceWatch } from './source-watch.ts';
import { SpeedMeter } from './speed-meter.ts';
import type { StateWatch } from './state-watch.ts';
import { verdictOn } from './verdict.ts';
import { isFolderMissing, whyAllWaits } from './why-all-waits.ts';
import { WorkerControl } from './worker-control.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';

/** How often the daemon checks commands, leases and the queue: a few indexed statements each time. */
const TICK_MS = 250;
/** Pause after a tick that could not use the queue. */
const RETRY_MS = 1000;

export interface DaemonOptions {
  readonly home: IdentifiedHome;
  readonly settings: LiveSettings;
  /** Exit when everything in `input/` has been processed. */
  readonly once: boolean;
  readonly log: RootLogger;
  /** Which device models run on, for advice about jobs that take long; null if unknown. */
  readonly gpuUse: GpuUse | null;
  /** Aborted by SIGTERM and Ctrl-C. */
  readonly signal: AbortSignal;
  /** Opens the web page; null if there is none. Never rejects. */
  readonly openPage: OpenPage | null;
}

/** Opens the page on the queue of a running daemon, which closes the page before it closes the queue. */
export type OpenPage = (parts: {
  readonly home: IdentifiedHome;
  readonly queue: Queue;
  readonly health: () => Health;
}) => Promise<{ close(): Promise<void> } | null>;

/**
 * The daemon while one connection to the queue is open. States:
 *
 * - recovering → running: the jobs of dead processes are requeued and their leftovers removed.
 * - running: the intake queues files, and each tick carries out commands and drives the worker (see WorkerControl).
 * - running → stopping: `signal` was aborted, or with `once` nothing is left to do, or nothing that can be done without a missing disk.
 * - stopping → ended: worker, intake, commands and notifications to systemd have ended; `run` resolves.
 * - running → damaged: the worker, the intake, a command or a tick found the database damaged. Everything ends as in
 *   stopping, and `run` rejects, so that `withHealthyQueue` replaces the database and starts another Daemon.
 * - running → lost: the database or the lock was removed or replaced, or no worker can be started. Everything ends as in
 *   stopping, and `run` rejects.
 *
 * A full or read-only disk or a locked database changes no state: the tick is repeated after a second.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #queue: Queue;
  readonly #state: StateWatch;
  readonly #intake: Intake;
  readonly #worker: WorkerControl;
  readonly #commands: CommandRunner;
  readonly #sources: SourceWatch;
  readonly #hooks: HookRunner;
  readonly #notifier: ServiceNotifier;
  readonly #speedMeter: SpeedMeter;
  readonly #estimates: NewJobEstimates;
  /** Why all that is left to do has to wait for a disk; null if it need not. */
  #missingDisk: string | null = null;
  #tickedAtMs = performance.now();
  /** Why the last tick could not use the queue; null if it could. */
  #queueFailure: string | null = null;

  constructor(options: DaemonOptions, queue: Queue, state: StateWatch) {
    const { home, settings, log } = options;
    this.#options = options;
    this.#queue = queue;
    this.#state = state;
    this.#notifier = new ServiceNotifier(serviceManager(), (sentence) => log.warn(sentence));
    this.#sources = new SourceWatch(queue, log, () => performance.now());
    const now = (): number => performance.now();
    const current = (): Settings => settings.now();
    const onMeasured = (): void => estimator.forget();
    const mayMeasure = (): boolean => this.#worker.mayMeasure();
    this.#speedMeter = new SpeedMeter({ home, settings: current, log, now, onMeasured, mayMeasure });
    const speedMeter = this.#speedMeter;
    const speeds = (): Promise<Speeds> => speedMeter.speeds();
    const estimator = new Estimator({ queue, settings: current, speeds, now });
    this.#worker = new WorkerControl({ home, settings, queue, log, isMeasuring: () => speedMeter.mustWait });
    const { gpuUse } = options;
    const estimates = new NewJobEstimates({ estimator, speedMeter, queue, settings: current, gpuUse, log });
    this.#estimates = estimates;
    this.#intake = createIntake({ home, settings, queue, estimates, log });
    this.#commands = this.#createCommands(estimates);
    this.#hooks = new HookRunner({ home, queue, settings: current, log, now: Date.now });
  }

  async run(): Promise<ExitCode> {
    const { home, log } = this.#options;
    log.info(`Framekiln is watching ${home.input}; finished videos appear in ${home.output}`);
    await recover(home, this.#queue, log);
    this.#notifier.ready();
    // Not awaited either, as everything works without it.
    const page = this.#options.openPage?.({ home, queue: this.#queue, health: () => this.#health() });
    void this.#speedMeter.measureInstalled();
    // Not awaited: queuing ten thousand files takes long, and jobs, commands and a stop must not wait for it.
    const firstScan = this.#intake.start();
    try {
      await this.#loop();
    } finally {
      await Promise.all([this.#shutDown(firstScan), page?.then((opened) => opened?.close())]);
    }
    return this.#exitCode();
  }

  /** Resolves when the daemon is stopped, or with `once` when nothing is left to do. */
  async #loop(): Promise<void> {
    const { signal, once } = this.#options;
    for (;;) {
      await this.#tick();
      this.#tickedAtMs = performance.now();
      this.#notifier.alive(this.#tickedAtMs);
      if (signal.aborted || (once && (await this.#hasFinished()))) return;
      await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #tick(): Promise<void> {
    const { log, settings, signal } = this.#options;
    this.#state.assertKept();
    this.#worker.assertStarting();
    try {
      this.#assertUndamaged();
      settings.now(); // Reloads a changed file, so that its errors are logged now and not with the next job.
      this.#commands.runWaiting();
      this.#sources.tick();
      this.#speedMeter.retrySkipped();
      await this.#worker.tick();
      this.#hooks.tick();
      if (this.#queueFailure !== null) log.info('the queue can be used again');
      this.#queueFailure = null;
    } catch (error) {
      if (isDamage(error)) throw error;
      // A full or read-only disk or a locked database is transient and must not stop the daemon.
      const why = toError(error).message;
      if (why !== this.#queueFailure) log.error(`cannot use the queue: ${withoutFullStop(why)}; retrying`);
      this.#queueFailure = why;
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Throws if the worker, the intake or a command has found the database damaged since the last tick. */
  #assertUndamaged(): void {
    if (isDamage(this.#intake.failure)) throw toError(this.#intake.failure);
    if (isDamage(this.#commands.failure)) throw toError(this.#commands.failure);
    if (isDamage(this.#hooks.failure)) throw toError(this.#hooks.failure);
    if (this.#worker.foundDamage) throw new DatabaseDamagedError('The worker could not read the database.');
  }

  #health(): Health {
    const nowMs = performance.now();
    const { crash, readOnlyFolder } = this.#worker;
    let waitingFor: string | null = null;
    let queueFailure = this.#queueFailure;
    try {
      waitingFor = this.#queue.jobs.firstWaitingNote();
    } catch (error) {
      queueFailure ??= toError(error).message;
    }
    return judgeHealth({
      ...{ sinceTickMs: nowMs - this.#tickedAtMs, queueFailure, readOnlyFolder, waitingFor },
      scanFailure: this.#intake.failure,
      crash: crash === null ? null : { how: crash.how, agoMs: nowMs - crash.atMs },
      settingsFaults: this.#options.settings.loaded.faults,
    });
  }

  #createCommands(estimates: NewJobEstimates): CommandRunner {
    const { home, log, settings, signal } = this.#options;
    const queue = this.#queue;
    return new CommandRunner({
      queue,
      log,
      dropJob: (id) => this.#worker.dropJob(id),
      removeFiles: (id) => removeJobFiles(home, id),
      removeFrames: (id) => removeJobFrames(home, id),
      add: (argument) =>
        addFile(argument as AddRequest, {
          ...{ queue, home, signal, estimates, limits: settings.now().limits },
          skipLarger: settings.now().output.skipLarger,
        }),
    });
  }

  /** Whether nothing is left to do, also after another scan: the last job may have ended because its source was moved. */
  async #hasFinished(): Promise<boolean> {
    if (!(await this.#isFinished())) return false;
    await this.#intake.rescan();
    return this.#isFinished();
  }

  /** Whether no file is settling and no job is queued or running, except those that wait for a missing disk. */
  async #isFinished(): Promise<boolean> {
    const { hasScanned, settlingCount, failure } = this.#intake;
    // Without the input folder nothing settles.
    const isSettling = settlingCount > 0 && !isFolderMissing(failure);
    if (!hasScanned || isSettling || this.#commands.isAdding || !this.#worker.isIdle) return false;
    if (!this.#hooks.isIdle) return false;
    this.#missingDisk = await whyAllWaits(this.#options.home, this.#queue, failure);
    return this.#missingDisk !== null || openJobs(this.#queue).length === 0;
  }

  async #shutDown(firstScan: Promise<void>): Promise<void> {
    const { home, log } = this.#options;
    this.#notifier.stopping();
    // Concurrent, because the worker takes longest to stop. If its last job ends meanwhile, the hooks run at the next start.
    await Promise.all([
      ...[this.#worker.stop(), this.#intake.close(), this.#speedMeter.close()],
      this.#hooks.close(),
    ]);
    await Promise.all([firstScan, this.#commands.settled(), this.#estimates.settled()]);
    await releaseRamDisks(home, this.#queue, log);
    await this.#notifier.settled();
  }

  #exitCode(): ExitCode {
    const { home, log, signal, once } = this.#options;
    const { rejectedCount: rejected, isIncomplete } = this.#intake;
    if (!signal.aborted && this.#missingDisk !== null) {
      log.error(`cannot process the rest: ${withoutFullStop(this.#missingDisk)}`);
      return ExitCode.environment;
    }
    if (!signal.aborted)
      return verdictOn({ queue: this.#queue, inputDir: home.input, rejected, isIncomplete, log });
    log.info('stopped; unfinished jobs will resume from their last checkpoint');
    return once ? ExitCode.stopped : ExitCode.ok;
  }
}

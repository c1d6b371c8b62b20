import { setTimeout as delay } from 'node:timers/promises';
import { serviceManager } from '../config/environment.ts';
import type { Home } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import type { AddRequest } from '../domain/add-request.ts';
import { DatabaseDamagedError, toError } from '../domain/errors.ts';
import { shapeOf } from '../domain/video-shape.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { SleepInhibitor } from '../hardware/sleep-inhibitor.ts';
import { Intake } from '../intake/intake.ts';
import { isOwnerAlive, parseOwner } from '../lib/process/process-identity.ts';
import { isWithin } from '../lib/process/process-tree.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import type { RootLogger } from '../observability/logger.ts';
import type { Queue } from '../queue/queue.ts';
import { isDamage } from '../queue/salvage.ts';
import { Estimator } from './estimator.ts';
import { quarantineSource } from '../workspace/quarantine-source.ts';
import { addFile } from './add-file.ts';
import { handleCommands } from './command-loop.ts';
import { removeIdleRamDisks, removeJobFiles, removeJobFrames, removeLeftovers } from './housekeeping.ts';
import { GpuWatch } from './gpu-watch.ts';
import { Throttling } from './throttling.ts';
import { ServiceNotifier } from './service-notifier.ts';
import { Supervisor, type WorkerEnd } from './supervisor.ts';
import { verdictOn } from './verdict.ts';
import { workerCrash } from './worker-crash.ts';

/** How often the daemon checks commands, leases and the queue: a few indexed statements each time. */
const TICK_MS = 250;

export interface DaemonOptions {
  readonly home: Home;
  readonly settings: LiveSettings;
  /** Exit when everything in `input/` has been processed. */
  readonly once: boolean;
  readonly log: RootLogger;
  /** Aborted by SIGTERM and Ctrl-C. */
  readonly signal: AbortSignal;
}

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #queue: Queue;
  readonly #intake: Intake;
  readonly #estimator: Estimator;
  readonly #supervisor: Supervisor;
  readonly #notifier: ServiceNotifier;
  #commands: Promise<unknown> = Promise.resolve();
  readonly #inhibitor = new SleepInhibitor();
  readonly #gpu: GpuWatch;
  readonly #throttling: Throttling;
  #commandFailure: unknown = null;
  #carryingOut = false;
  #isAdding = false;
  /** A worker crashed, and its leftovers must be removed before the next one starts. */
  #hasLeftovers = false;

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
    this.#estimator = new Estimator({ queue, settings: () => settings.now(), now: () => performance.now() });
    this.#intake = new Intake({
      inputDir: home.input,
      outputDir: home.output,
      get settleMs() {
        return settings.now().intake.settleSeconds * 1000;
      },
      get rescanMs() {
        return settings.now().intake.rescanSeconds * 1000;
      },
      polling: settings.now().intake.polling,
      get rules() {
        const { recipe, intake: now } = settings.now();
        return { inputDir: home.input, defaultRecipe: recipe, folders: now.folders };
      },
      seenFiles: queue.seenFiles,
      enqueue: (file) => queue.jobs.enqueue({ ...file, origin: 'watch', priority: 0, nowMs: Date.now() }),
      probe: async (path, signal) => shapeOf(await probeMedia(path, settings.now().limits, signal)),
      estimate: (job) => this.#estimator.describe(job),
      onRejected: async (path, error) => {
        if (settings.now().intake.rejected === 'keep') return;
        const said = await quarantineSource(home.root, path, error, String(Date.now()));
        if (said !== null) log.info(said);
      },
      log,
      now: Date.now,
    });
  }

  async run(): Promise<ExitCode> {
    const { home, log, signal, once } = this.#options;
    log.info(`Framekiln is watching ${home.input}; finished videos appear in ${home.output}`);
    await this.#recover();
    this.#notifier.ready();
    // Not awaited: queuing ten thousand files takes long, and jobs, commands and a stop must not wait for it.
    const firstScan = this.#intake.start();
    try {
      for (;;) {
        await this.#tick();
        this.#notifier.alive(performance.now());
        if (signal.aborted || (once && this.#isFinished())) break;
        await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      this.#notifier.stopping();
      this.#gpu.close();
      // Concurrent, because the worker takes longest to stop.
      await Promise.all([this.#supervisor.stop(), this.#intake.close()]);
      this.#inhibitor.set(false);
      await Promise.all([firstScan, this.#commands]);
      await this.#releaseRamDisks();
      await this.#notifier.settled();
    }
    const rejected = this.#intake.rejectedCount;
    if (!signal.aborted) return verdictOn({ queue: this.#queue, inputDir: home.input, rejected, log });
    log.info('stopped; unfinished jobs will resume from their last checkpoint');
    return once ? ExitCode.stopped : ExitCode.ok;
  }

  /** Requeues the jobs of dead processes, removes their leftovers, and lets rejected files be checked again. */
  async #recover(): Promise<void> {
    const { log } = this.#options;
    const ids = this.#queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure: null });
    for (const id of ids) log.info(`job ${id} was interrupted; it will resume from its last checkpoint`);
    await this.#cleanUp();
    // Limits, permissions or ffmpeg may have changed since they were rejected.
    const { seenFiles } = this.#queue;
    const rejected = seenFiles.list().filter((seen) => seen.state === 'rejected');
    seenFiles.removeAll(rejected.map((seen) => seen.path));
  }

  /** Only while no worker runs. */
  async #cleanUp(): Promise<void> {
    const { home, log } = this.#options;
    this.#hasLeftovers = false;
    try {
      const removed = await removeLeftovers(home, this.#queue);
      if (removed.length > 0) log.info(`removed leftovers of dead processes: ${removed.join(', ')}`);
    } catch (error) {
      log.warn(`cannot remove leftovers of dead processes: ${toError(error).message}`);
    }
  }

  /** Releases all RAM disks. Little is lost: they hold at most the frames of the batches in progress. */
  async #releaseRamDisks(): Promise<void> {
    const { home, log } = this.#options;
    try {
      await removeIdleRamDisks(home, this.#queue);
    } catch (error) {
      log.warn(`cannot release a RAM disk: ${toError(error).message}`);
    }
  }

  async #tick(): Promise<void> {
    const { log, settings } = this.#options;
    const queue = this.#queue;
    try {
      this.#assertUndamaged();
      settings.now(); // Reloads a changed file, so that its errors are logged now and not with the next job.
      this.#carryOutCommands();
      // The leases of our own worker are left to `#afterWorker`, which knows whether it crashed.
      const spare = (owner: string): boolean => parseOwner(owner)?.pid === this.#supervisor.pid;
      queue.sweepLeases({ isOwnerAlive, spare, nowMs: Date.now(), failure: null });
      if (this.#hasLeftovers && !this.#supervisor.isRunning) await this.#cleanUp();
      if (this.#throttling.shouldPause(settings.now(), this.#supervisor.isRunning)) this.#supervisor.pause();
      else if (queue.leases.hasClaimable(Date.now())) this.#supervisor.ensureRunning();
      this.#inhibitor.set(settings.now().throttling.inhibitSleep && this.#supervisor.isRunning);
    } catch (error) {
      if (isDamage(error)) throw error;
      // A full disk or a locked database is transient and must not stop the daemon.
      log.error(`cannot use the queue: ${toError(error).message}; retrying`);
      await delay(1000, undefined, { signal: this.#options.signal }).catch(() => undefined);
    }
  }

  /** Throws if the worker, the intake or a command has found the database damaged since the last tick. */
  #assertUndamaged(): void {
    if (isDamage(this.#intake.failure)) throw toError(this.#intake.failure);
    if (isDamage(this.#commandFailure)) throw toError(this.#commandFailure);
    if (this.#supervisor.foundDamage)
      throw new DatabaseDamagedError('The worker could not read the database.');
  }

  /** Runs concurrently with the ticks, because `add` reads a whole file. One round at a time. */
  #carryOutCommands(): void {
    if (this.#carryingOut) return;
    const { home, log, settings, signal } = this.#options;
    this.#carryingOut = true;
    this.#commands = handleCommands({
      queue: this.#queue,
      log,
      dropJob: (id) => this.#supervisor.dropJob(id),
      removeFiles: (id) => removeJobFiles(home, id),
      removeFrames: (id) => removeJobFrames(home, id),
      add: async (argument) => {
        this.#isAdding = true;
        try {
          const { limits } = settings.now();
          return await addFile(argument as AddRequest, {
            ...{ queue: this.#queue, home, limits, signal, estimator: this.#estimator },
          });
        } finally {
          this.#isAdding = false;
        }
      },
    })
      .catch((error: unknown) => {
        this.#commandFailure = error;
        log.error(`cannot carry out a command: ${toError(error).message}`);
      })
      .finally(() => (this.#carryingOut = false));
  }

  #afterWorker({ crashed, how, wasOwner }: WorkerEnd): void {
    const { log, settings } = this.#options;
    if (crashed) log.error(`worker crashed (${how}); its jobs will resume from their last checkpoint`);
    this.#hasLeftovers ||= crashed;
    try {
      const running = this.#queue.jobs
        .listJobs({ state: 'running' })
        .filter(({ origin }) => origin !== 'run');
      // With several jobs it is unknown which one crashed the worker: none loses an attempt, and each then runs alone.
      this.#supervisor.alone = crashed && running.length > 1;
      const isCharged = crashed && !this.#supervisor.alone && !this.#supervisor.foundDamage;
      const failure = isCharged ? workerCrash(how, settings.now().attempts) : null;
      this.#queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure, isToBlame: wasOwner });
    } catch (error) {
      // A full disk, for example: the next tick requeues the jobs.
      log.error(`cannot record the end of the worker: ${toError(error).message}; retrying`);
    }
  }

  /** Whether no file is settling and no job is queued or running. Jobs of a paused queue count as waiting. */
  #isFinished(): boolean {
    if (
      !this.#intake.hasScanned ||
      this.#intake.settlingCount > 0 ||
      this.#isAdding ||
      this.#hasLeftovers ||
      this.#supervisor.isRunning
    )
      return false;
    const waiting = (['queued', 'running'] as const).flatMap((state) => this.#queue.jobs.listJobs({ state }));
    // Jobs of `framekiln run` belong to that command.
    return waiting.every((job) => job.origin === 'run');
  }
}

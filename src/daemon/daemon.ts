import { setTimeout as delay } from 'node:timers/promises';
import { serviceManager } from '../config/environment.ts';
import type { Home } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import type { AddRequest } from '../domain/add-request.ts';
import { DatabaseDamagedError, toError } from '../domain/errors.ts';
import { shapeOf } from '../domain/video-shape.ts';
import { isTransientDatabaseError } from '../domain/transient-errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { SleepInhibitor } from '../hardware/sleep-inhibitor.ts';
import { Intake } from '../intake/intake.ts';
import { isOwnerAlive, parseOwner } from '../lib/process/process-identity.ts';
import { isWithin } from '../lib/process/process-tree.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import type { RootLogger } from '../observability/logger.ts';
import { acquireProcessLock, type ProcessLock } from '../queue/process-lock.ts';
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
import { openHealthyQueue } from './healthy-queue.ts';
import { Supervisor, type WorkerEnd } from './supervisor.ts';
import { verdictOn } from './verdict.ts';
import { workerCrash } from './worker-crash.ts';

/** How often commands, leases and the queue are looked at. Each look is a few statements on an index. */
const TICK_MS = 250;

/** On a full disk the queue may not even open. */
const OPEN_AGAIN_MS = 1000;
const LOCK_TRIES = 3;
const LOCK_WAIT_MS = 100;
/** A database that is damaged more often in one life of a daemon lies on a disk that is. */
const MOST_DAMAGES = 3;

export interface DaemonOptions {
  readonly home: Home;
  readonly settings: LiveSettings;
  /** End when everything in `input/` is worked off. */
  readonly once: boolean;
  readonly log: RootLogger;
  /** Aborted by SIGTERM and Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * The daemon: watches, queues, keeps a worker alive while there is work, carries out commands. It never loads a
 * model or decodes a frame itself, so nothing that a video does can bring it down.
 */
export async function runDaemon(options: DaemonOptions): Promise<ExitCode> {
  const { home, log } = options;
  const lock = await acquireLock(home.lockFile);
  if (lock === null) {
    log.error(`another daemon is at work on ${home.root}; this one ends.`);
    return ExitCode.alreadyRunning;
  }
  try {
    for (let damages = 0; ;) {
      try {
        return await runWithQueue(options, await openHealthyQueue(home, log));
      } catch (error) {
        if (isTransientDatabaseError(error)) {
          if (options.signal.aborted) return options.once ? ExitCode.stopped : ExitCode.ok;
          log.error(`the queue cannot be opened: ${toError(error).message}; it is tried again`);
          await delay(OPEN_AGAIN_MS, undefined, { signal: options.signal }).catch(() => undefined);
          continue;
        }
        // Found while it ran; opened again it is looked through, and set aside. Again and again is the disk's fault.
        if (!isDamage(error)) throw error;
        log.error(`the database is damaged: ${toError(error).message}`);
        if (damages++ === MOST_DAMAGES) {
          const sentence = `The database was damaged ${damages} times while this daemon ran; look at the disk of ${home.stateDir}.`;
          log.error(sentence);
          throw new DatabaseDamagedError(sentence, { cause: error });
        }
      }
    }
  } finally {
    lock.release();
  }
}

async function runWithQueue(options: DaemonOptions, queue: Queue): Promise<ExitCode> {
  try {
    return await new Daemon(options, queue).run();
  } finally {
    queue.close();
  }
}

/** A command that asks whether a daemon runs holds the lock for an instant: that is no other daemon. */
async function acquireLock(path: string): Promise<ProcessLock | null> {
  for (let tries = LOCK_TRIES; ; tries--) {
    const lock = acquireProcessLock(path);
    if (lock !== null || tries === 0) return lock;
    await delay(LOCK_WAIT_MS);
  }
}

class Daemon {
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
  /** A worker died: what it left is removed before the next one starts. */
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
    log.info(`Framekiln watches ${home.input}; finished videos appear in ${home.output}`);
    await this.#takeBack();
    this.#notifier.ready();
    // Not waited for: taking ten thousand files lasts, and jobs, commands and a stop do not wait for that.
    const firstScan = this.#intake.start();
    try {
      for (;;) {
        await this.#tick();
        this.#notifier.alive(performance.now());
        if (signal.aborted || (once && this.#isWorkedOff())) break;
        await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      this.#notifier.stopping();
      this.#gpu.close();
      // The worker first: it has the longest way to a clean stop.
      await Promise.all([this.#supervisor.stop(), this.#intake.close()]);
      this.#inhibitor.set(false);
      await Promise.all([firstScan, this.#commands]);
      await this.#giveBack();
      await this.#notifier.settled();
    }
    const rejected = this.#intake.rejectedCount;
    if (!signal.aborted) return verdictOn({ queue: this.#queue, inputDir: home.input, rejected, log });
    log.info('stopped; unfinished jobs go on after their last committed batch');
    return once ? ExitCode.stopped : ExitCode.ok;
  }

  /** What dead processes left: their jobs are queued again, and what belongs to nobody is removed (R11, A4). */
  async #takeBack(): Promise<void> {
    const { log } = this.#options;
    const ids = this.#queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure: null });
    for (const id of ids) log.info(`job ${id} was interrupted; it goes on after its last committed batch`);
    await this.#cleanUp();
    // Rejections were for the limits, rights and ffmpeg of that time.
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
      if (removed.length > 0) log.info(`removed what dead processes left: ${removed.join(', ')}`);
    } catch (error) {
      log.warn(`what dead processes left could not be removed: ${toError(error).message}`);
    }
  }

  /** After a clean stop no memory is held: the frames in it are at most those of the batches in work (R25). */
  async #giveBack(): Promise<void> {
    const { home, log } = this.#options;
    try {
      await removeIdleRamDisks(home, this.#queue);
    } catch (error) {
      log.warn(`a RAM disk could not be given back: ${toError(error).message}`);
    }
  }

  async #tick(): Promise<void> {
    const { log, settings } = this.#options;
    const queue = this.#queue;
    try {
      this.#assertAudio();
      settings.now(); // Faults of a file that was changed are told at once, not with the next job.
      this.#carryOutCommands();
      // Our own worker's end is judged by `#afterWorker` alone, which knows whether it crashed.
      const spare = (owner: string): boolean => parseOwner(owner)?.pid === this.#supervisor.pid;
      queue.sweepLeases({ isOwnerAlive, spare, nowMs: Date.now(), failure: null });
      if (this.#hasLeftovers && !this.#supervisor.isRunning) await this.#cleanUp();
      if (this.#throttling.isRest(settings.now(), this.#supervisor.isRunning)) this.#supervisor.rest();
      else if (queue.leases.hasClaimable(Date.now())) this.#supervisor.ensureRunning();
      this.#inhibitor.set(settings.now().throttling.inhibitSleep && this.#supervisor.isRunning);
    } catch (error) {
      if (isDamage(error)) throw error;
      // A full disk or a locked database passes; the daemon does not end because of it (R13).
      log.error(`the queue could not be used: ${toError(error).message}; it is tried again`);
      await delay(1000, undefined, { signal: this.#options.signal }).catch(() => undefined);
    }
  }

  /** Damage that was met beside the ticks: by the worker, while looking for files, or in a command. */
  #assertAudio(): void {
    if (isDamage(this.#intake.failure)) throw toError(this.#intake.failure);
    if (isDamage(this.#commandFailure)) throw toError(this.#commandFailure);
    if (this.#supervisor.foundDamage) throw new DatabaseDamagedError('the worker could not read it.');
  }

  /** Beside the ticks: an `add` reads its whole file. One round at a time. */
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
        log.error(`a command could not be carried out: ${toError(error).message}`);
      })
      .finally(() => (this.#carryingOut = false));
  }

  #afterWorker({ crashed, how, wasOwner }: WorkerEnd): void {
    const { log, settings } = this.#options;
    if (crashed) log.error(`the worker died (${how}); its jobs go on after their last committed batches`);
    this.#hasLeftovers ||= crashed;
    try {
      const running = this.#queue.jobs
        .listJobs({ state: 'running' })
        .filter(({ origin }) => origin !== 'run');
      // Of several jobs nobody knows which one killed it: none is charged with it, and each goes on alone, to find out.
      this.#supervisor.alone = crashed && running.length > 1;
      const isCharged = crashed && !this.#supervisor.alone && !this.#supervisor.foundDamage;
      const failure = isCharged ? workerCrash(how, settings.now().attempts) : null;
      this.#queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure, isToBlame: wasOwner });
    } catch (error) {
      // A full disk: the next tick takes the job back.
      log.error(`the end of the worker could not be written down: ${toError(error).message}`);
    }
  }

  /** Nothing is growing in `input/`, nothing runs, nothing waits. A paused queue or job is a person's request to wait. */
  #isWorkedOff(): boolean {
    if (
      !this.#intake.hasScanned ||
      this.#intake.settlingCount > 0 ||
      this.#isAdding ||
      this.#hasLeftovers ||
      this.#supervisor.isRunning
    )
      return false;
    const waiting = (['queued', 'running'] as const).flatMap((state) => this.#queue.jobs.listJobs({ state }));
    // What a `framekiln run` began is its own to end.
    return waiting.every((job) => job.origin === 'run');
  }
}

import { existsSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import type { AddRequest } from '../domain/add-request.ts';
import { InputRefusedError, toError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { Intake } from '../intake/intake.ts';
import { counted } from '../lib/counted.ts';
import { isOwnerAlive, parseOwner } from '../lib/process-identity.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { probeMedia } from '../media/probe.ts';
import type { RootLogger } from '../observability/logger.ts';
import { acquireProcessLock, type ProcessLock } from '../queue/process-lock.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import { handleCommands } from './command-loop.ts';
import { removeJobFiles, removeLeftovers } from './housekeeping.ts';
import { Supervisor } from './supervisor.ts';
import { workerCrash } from './worker-crash.ts';

/** How often commands, leases and the queue are looked at. Each look is a few statements on an index. */
const TICK_MS = 250;

const LOCK_TRIES = 3;
const LOCK_WAIT_MS = 100;

export interface DaemonOptions {
  readonly home: Home;
  readonly settings: Settings;
  /** End when everything in `input/` is worked off. */
  readonly once: boolean;
  readonly log: RootLogger;
  /** Aborted by SIGTERM and Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * The daemon: watches, queues, keeps a worker alive while there is work, carries out commands. It never loads a
 * network or decodes a frame itself, so nothing that a video does can bring it down.
 */
export async function runDaemon(options: DaemonOptions): Promise<ExitCode> {
  const { home, log } = options;
  const lock = await acquireLock(home.lockFile);
  if (lock === null) {
    log.error(`another daemon is at work on ${home.root}; this one ends.`);
    return ExitCode.alreadyRunning;
  }
  const queue = openQueue(home.databaseFile);
  try {
    return await new Daemon(options, queue).run();
  } finally {
    queue.close();
    lock.release();
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
  readonly #supervisor: Supervisor;

  constructor(options: DaemonOptions, queue: Queue) {
    const { home, settings, log } = options;
    this.#options = options;
    this.#queue = queue;
    this.#supervisor = new Supervisor({
      start: { homeRoot: home.root, onlyJobId: null },
      log,
      onEnded: ({ crashed, how }) => this.#afterWorker(crashed, how),
    });
    this.#intake = new Intake({
      inputDir: home.input,
      outputDir: home.output,
      settleMs: settings.intake.settleSeconds * 1000,
      rescanMs: settings.intake.rescanSeconds * 1000,
      polling: settings.intake.polling,
      rules: { inputDir: home.input, defaultRecipe: settings.recipe, folders: settings.intake.folders },
      seenFiles: queue.seenFiles,
      enqueue: (file) => queue.jobs.enqueue({ ...file, origin: 'watch', priority: 0, nowMs: Date.now() }),
      probe: (path, signal) => probeMedia(path, settings.limits, signal),
      log,
      now: Date.now,
    });
  }

  async run(): Promise<ExitCode> {
    const { home, log, signal, once } = this.#options;
    log.info(`Framekiln watches ${home.input}; finished videos appear in ${home.output}`);
    await this.#takeBack();
    try {
      await this.#intake.start();
      for (;;) {
        await this.#tick();
        if (signal.aborted || (once && this.#isWorkedOff())) break;
        await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      // The worker first: it has the longest way to a clean stop.
      await Promise.all([this.#supervisor.stop(), this.#intake.close()]);
    }
    if (!signal.aborted) return this.#verdict();
    log.info('stopped; unfinished jobs go on after their last committed batch');
    return once ? ExitCode.stopped : ExitCode.ok;
  }

  /** What dead processes left: their jobs are queued again, and what belongs to nobody is removed (R11, A4). */
  async #takeBack(): Promise<void> {
    const { home, log } = this.#options;
    const ids = this.#queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure: null });
    for (const id of ids) log.info(`job ${id} was interrupted; it goes on after its last committed batch`);
    const removed = await removeLeftovers(home, this.#queue);
    if (removed.length > 0) log.info(`removed what dead processes left: ${removed.join(', ')}`);
  }

  async #tick(): Promise<void> {
    const { home, log } = this.#options;
    const queue = this.#queue;
    try {
      await handleCommands({
        queue,
        log,
        dropJob: (id) => this.#supervisor.dropJob(id),
        removeFiles: (id) => removeJobFiles(home, id),
        add: (argument) => this.#add(argument as AddRequest),
      });
      // Our own worker's end is judged by `#afterWorker` alone, which knows whether it crashed.
      const isAlive = (owner: string) =>
        parseOwner(owner)?.pid === this.#supervisor.pid || isOwnerAlive(owner);
      queue.sweepLeases({ isOwnerAlive: isAlive, nowMs: Date.now(), failure: null });
      if (queue.leases.hasClaimable(Date.now())) this.#supervisor.ensureRunning();
    } catch (error) {
      // A full disk or a locked database passes; the daemon does not end because of it (R13).
      log.error(`the queue could not be used: ${toError(error).message}; it is tried again`);
      await delay(1000, undefined, { signal: this.#options.signal }).catch(() => undefined);
    }
  }

  async #add({ path, recipe, priority }: AddRequest): Promise<string> {
    const { home, settings } = this.#options;
    const name = basename(path);
    if (!(await stat(path)).isFile())
      throw new InputRefusedError('NOT_A_REGULAR_FILE', `${path} is not a regular file.`);
    await probeMedia(path, settings.limits);
    const { job, created } = this.#queue.jobs.enqueue({
      origin: 'add',
      sourcePath: path,
      outputPath: join(home.output, name),
      fingerprint: await sha256File(path),
      recipe,
      priority,
      nowMs: Date.now(),
    });
    return created
      ? `${name} is queued as job ${job.id}.`
      : `${name} is known by its content as job ${job.id}, which is ${job.state}.`;
  }

  #afterWorker(crashed: boolean, how: string): void {
    const { log, settings } = this.#options;
    if (crashed) log.error(`the worker died (${how}); its job goes on after its last committed batch`);
    this.#queue.sweepLeases({
      isOwnerAlive,
      nowMs: Date.now(),
      failure: crashed ? workerCrash(how, settings.tries) : null,
    });
  }

  /** Nothing is growing in `input/`, nothing runs, nothing waits. A paused queue or job is a person's wish to wait. */
  #isWorkedOff(): boolean {
    const { queued, running } = this.#queue.jobs.countByState();
    return this.#intake.settlingCount === 0 && queued === 0 && running === 0 && !this.#supervisor.isRunning;
  }

  /** Success only if nothing that lies in `input/` failed or was refused, now or earlier. */
  #verdict(): ExitCode {
    const { log } = this.#options;
    const failed = this.#failedInInput();
    const refused = this.#intake.refusedCount;
    if (failed === 0 && refused === 0) {
      log.info('everything in the input folder is done');
      return ExitCode.ok;
    }
    log.error(
      `the input folder is worked off, but ${counted(failed, 'job')} failed and ${counted(refused, 'file')} could not be used`,
    );
    return ExitCode.failed;
  }

  /** Failed jobs whose file still lies in `input/`; one that was replaced counts as what replaced it. */
  #failedInInput(): number {
    const { home } = this.#options;
    const latest = new Map(this.#queue.jobs.listJobs().map((job) => [job.sourcePath, job]));
    return [...latest.values()].filter(
      ({ state, sourcePath }) =>
        state === 'failed' && sourcePath.startsWith(home.input + sep) && existsSync(sourcePath),
    ).length;
  }
}

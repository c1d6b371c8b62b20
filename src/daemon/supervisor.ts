import { fork, type ChildProcess } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { toError } from '../domain/errors.ts';
import { Watchdog } from '../lib/process/watchdog.ts';
import { BackOff } from '../lib/back-off.ts';
import { parseOwner } from '../lib/process/process-identity.ts';
import type { FromWorker, ToWorker, WorkerStart } from '../worker/protocol.ts';
import type { RootLogger } from '../observability/logger.ts';

/** A worker silent for this long hangs, because its main thread never runs inference. */
const SILENCE_MS = 30_000;
/** How long a worker may take after "stop" to release its RAM disk before it is killed. */
const STOP_PATIENCE_MS = 1_000;
const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 30_000;
/** A worker that ran for this long did not crash because it cannot start, so the back-off begins again. */
const STEADY_MS = 60_000;

export interface WorkerEnd {
  readonly crashed: boolean;
  /** Exit code, signal or reason, for messages. */
  readonly how: string;
  /** Whether this worker owned a lease. */
  readonly wasOwner: (owner: string) => boolean;
}

export interface SupervisorOptions {
  readonly start: Omit<WorkerStart, 'alone'>;
  readonly log: RootLogger;
  /** Called after a worker has ended and before the next one may start. */
  readonly onEnded: (end: WorkerEnd) => void;
}

/**
 * Starts, watches and stops the worker process. States:
 *
 * - idle → running: `ensureRunning`, unless a restart has to wait.
 * - running → idle: the worker found nothing to claim and exited with 0.
 * - running → waiting: it crashed, hung or was killed; waiting → idle after a pause that doubles with each crash.
 * - any → stopped: `stop`; no worker is started again.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #released = false;
  #stopping = false;
  #hung = false;
  #foundDamage = false;
  /** On the monotonic clock. */
  #restartAtMs = 0;
  readonly #backOff = new BackOff(FIRST_RESTART_MS, LONGEST_RESTART_MS);
  #startedAtMs = 0;
  readonly #silence = new Watchdog(SILENCE_MS, () => {
    this.#hung = true;
    this.#child?.kill('SIGKILL');
  });

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Whether a worker found the database damaged. */
  get foundDamage(): boolean {
    return this.#foundDamage;
  }

  /** Process ID of the worker, or null if none is running. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * Starts a worker unless one is running, the back-off has not passed, or `stop` was called.
   *
   * @param alone whether the worker runs one job at a time
   */
  ensureRunning(alone: boolean): void {
    if (this.#child !== null || this.#stopping || performance.now() < this.#restartAtMs) return;
    this.#startedAtMs = performance.now();
    this.#released = false;
    this.#hung = false;
    const child = fork(
      new URL('../worker/entry.js', import.meta.url),
      [JSON.stringify({ ...this.#options.start, alone } satisfies WorkerStart)],
      {
        stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      },
    );
    this.#child = child;
    this.#silence.heard();
    child.on('message', (message: FromWorker) => this.#receive(message));
    // Native libraries print to standard error.
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of stripVTControlCharacters(text).split('\n'))
        if (line.trim() !== '') this.#options.log.warn(`worker: ${line}`);
    });
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => this.#onEnd(`cannot be started: ${error.message}`, true, resolve));
      child.once('exit', (code, signal) =>
        this.#onEnd(signal === null ? `exit code ${String(code)}` : `signal ${signal}`, code !== 0, resolve),
      );
    });
  }

  /** Tells the worker that it has lost a job (pause, cancel). */
  dropJob(jobId: number): void {
    this.#send({ kind: 'drop-job', jobId });
  }

  /** Resolves when the current worker, if any, has ended. */
  ended(): Promise<void> {
    return this.#ended;
  }

  /** Asks the worker to release its jobs and exit; another may be started later. */
  pause(): void {
    this.#send({ kind: 'stop' });
  }

  /** Stops the worker: asks, waits until it has released its jobs, kills it. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === null) return;
    this.#send({ kind: 'stop' });
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
    await this.#ended;
    clearTimeout(patience);
  }

  #send(message: ToWorker): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  #receive(message: FromWorker): void {
    this.#silence.heard();
    if (message.kind === 'log') this.#options.log.write(message.entry);
    if (message.kind === 'damaged') this.#foundDamage = true;
    if (message.kind === 'released') {
      this.#released = true;
      // Exiting can take seconds: a process waits for threads that run native code.
      if (this.#stopping) this.#child?.kill('SIGKILL');
    }
  }

  #onEnd(how: string, failed: boolean, resolve: () => void): void {
    const pid = this.#child?.pid;
    if (this.#child === null) return;
    this.#silence.rest();
    this.#child = null;
    const crashed = failed && !this.#released && !this.#stopping;
    if (crashed) {
      if (performance.now() - this.#startedAtMs > STEADY_MS) this.#backOff.reset();
      this.#restartAtMs = performance.now() + this.#backOff.nextMs();
    } else {
      this.#backOff.reset();
    }
    try {
      this.#options.onEnded({
        crashed,
        how: this.#hung ? `no sign of life for ${SILENCE_MS / 1000} s` : how,
        wasOwner: (owner) => parseOwner(owner)?.pid === pid,
      });
    } catch (error) {
      // The database is locked, for example. The leases expire, and `stop` must not wait forever.
      this.#options.log.error(`cannot record the end of the worker: ${toError(error).message}`);
    } finally {
      resolve();
    }
  }
}

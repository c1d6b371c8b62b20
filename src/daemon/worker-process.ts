import { fork, type ChildProcess } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { Watchdog } from '../lib/process/watchdog.ts';
import type { RootLogger } from '../observability/logger.ts';
import { measure } from '../observability/measurements.ts';
import type { FromWorker, ToWorker, WorkerStart } from '../worker/protocol.ts';

/** A worker silent for this long hangs, because its main thread never runs inference. */
const SILENCE_MS = 30_000;
/** How long a worker may take after "stop" to release its RAM disk before it is killed. */
const STOP_PATIENCE_MS = 1_000;

const WORKER_PROGRAM = new URL('../worker/entry.js', import.meta.url);

export interface WorkerProcessOptions {
  readonly start: WorkerStart;
  readonly log: RootLogger;
  /** A JavaScript file that speaks the worker's protocol. Default: the worker. */
  readonly program?: URL;
  /** How long the worker may send nothing before it is killed. */
  readonly silenceMs?: number;
}

/** How a worker process ended. */
export interface WorkerExit {
  /** Whether the worker failed before it was stopped and before its jobs were released. */
  readonly crashed: boolean;
  /** Whether the worker has claimed a job, or was asked to stop before it could. */
  readonly hasClaimed: boolean;
  /** Exit code, signal or reason, for messages. */
  readonly how: string;
  /** What to log if the worker failed. */
  readonly notice: string;
}

/**
 * One worker process. States:
 *
 * - running → released: it has released its jobs, after `askToStop` or `stop`; its end is not a crash any more.
 * - running → hung: it was silent for too long, and is killed.
 * - any → stopping: `stop`; it is killed as soon as it has released its jobs, or after a second.
 * - any → ended: it exited or could not be started; `exit` resolves.
 */
export class WorkerProcess {
  /** Resolves when the process has ended; never rejects. */
  readonly exit: Promise<WorkerExit>;
  readonly #child: ChildProcess;
  readonly #log: RootLogger;
  readonly #silenceMs: number;
  readonly #watchdog: Watchdog;
  #hung = false;
  #hasClaimed = false;
  #released = false;
  #stopping = false;
  #foundDamage = false;

  constructor({ start, log, program = WORKER_PROGRAM, silenceMs = SILENCE_MS }: WorkerProcessOptions) {
    this.#log = log;
    this.#silenceMs = silenceMs;
    this.#watchdog = new Watchdog(silenceMs, () => this.#killHung());
    const child = fork(program, [JSON.stringify(start)], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
    this.#child = child;
    this.#watchdog.heard();
    child.on('message', (message: FromWorker) => this.#receive(message));
    // Native libraries print to standard error.
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#logText(text));
    this.exit = new Promise((resolve) => {
      child.once('error', (error) => resolve(this.#exit(error.message, true)));
      child.once('exit', (code, signal) => resolve(this.#exit(describeExit(code, signal), code !== 0)));
    });
  }

  /** Process ID; null if the process could not be started. */
  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Whether the worker found the database damaged. */
  get foundDamage(): boolean {
    return this.#foundDamage;
  }

  send(message: ToWorker): void {
    if (message.kind === 'stop') this.#hasClaimed = true;
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Asks the worker to release its jobs, waits until it has done so, and kills it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.send({ kind: 'stop' });
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_PATIENCE_MS);
    await this.exit;
    clearTimeout(patience);
  }

  #receive(message: FromWorker): void {
    this.#watchdog.heard();
    if (message.kind === 'log') this.#log.write(message.entry);
    if (message.kind === 'measured') message.measurements.forEach(measure);
    if (message.kind === 'claimed') this.#hasClaimed = true;
    if (message.kind === 'damaged') this.#foundDamage = true;
    if (message.kind === 'released') {
      this.#released = true;
      // Exiting can take seconds: a process waits for threads that run native code.
      if (this.#stopping) this.#child.kill('SIGKILL');
    }
  }

  #logText(text: string): void {
    for (const line of stripVTControlCharacters(text).split('\n'))
      if (line.trim() !== '') this.#log.warn(`worker: ${line}`);
  }

  #killHung(): void {
    this.#hung = true;
    this.#child.kill('SIGKILL');
  }

  #exit(how: string, failed: boolean): WorkerExit {
    this.#watchdog.rest();
    const reason = this.#hung ? `no heartbeat for ${this.#silenceMs / 1000} s` : how;
    const notice = this.pid === null ? `cannot start the worker: ${reason}` : `worker crashed (${reason})`;
    return {
      crashed: failed && !this.#released && !this.#stopping,
      hasClaimed: this.#hasClaimed,
      how: reason,
      notice,
    };
  }
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${String(code)}` : `signal ${signal}`;
}

import type { Readable, Writable } from 'node:stream';
import { setPriority } from 'node:os';
import { cpuTicksOf } from './cpu-time.ts';
import { spawnChild, type ChildOptions } from './spawn-child.ts';
import { Watchdog } from './watchdog.ts';

const STDERR_TAIL_CHARS = 4_000;
/** Time between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 500;
/** Time for a process to exit on its own after its standard input is closed. */
const FINISH_WITHIN_MS = 200;
/** A process in an uninterruptible driver call outlives SIGKILL; after this time it is no longer waited for. */
const GONE_WITHIN_MS = 2_000;
/** A process that only waits uses less CPU time than this in a minute: a tenth of a second. */
const COMPUTING_TICKS_PER_MS = 10 / 60_000;

export interface SupervisedOptions extends ChildOptions {
  /** The process is killed when `touch` was not called for this time, in ms, while it was not `idle`. */
  readonly stallMs: number;
  /**
   * Whether CPU time counts as progress, too. Only for a process that may compute for long without moving bytes, and whose
   * input cannot make it compute forever.
   */
  readonly countsCpuTime?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly niceness: number;
  /** Number of outputs from file descriptor 4 on. Default: none. */
  readonly moreOutputs?: number | undefined;
  /**
   * Called with the process ID immediately before the process gets SIGKILL, if a signal is not enough to kill it (a
   * sandbox).
   */
  readonly killTree?: ((pid: number) => void) | undefined;
}

/** Why a process ended; the first reason counts. */
export type EndReason = 'exited' | 'signalled' | 'stalled' | 'stopped' | 'not-found' | 'not-started';

export interface ProcessEnd {
  readonly reason: EndReason;
  /** The exit code; null unless the process exited on its own. */
  readonly exitCode: number | null;
  readonly signalName: string | null;
  /** The last lines on standard error. */
  readonly stderrTail: string;
  readonly cause: unknown;
}

/**
 * A running child process with pipes, a watchdog and a kill ladder. States: running → ended, once. `ended` settles when
 * the process is gone and its pipes are closed, and never rejects.
 *
 * Code that moves bytes calls `touch`; code that makes the process wait on purpose (back-pressure) calls `idle`. So only
 * a process that is expected to produce something can stall.
 */
export class SupervisedProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** File descriptor 3, for a second output (`pipe:3`). */
  readonly extra: Readable;
  /** Outputs from file descriptor 4 on. */
  readonly more: readonly Readable[];
  readonly #child: ReturnType<typeof spawnWithPipes>;
  readonly #options: SupervisedOptions;
  readonly #watchdog: Watchdog;
  /** CPU time when the watchdog last fired. */
  #cpuTicks = 0;
  #firstReason: 'stalled' | 'stopped' | null = null;
  #stderrTail = '';
  #stderrLines = 0;
  #giveUp: () => void = () => undefined;
  #goneTimer: NodeJS.Timeout | undefined;

  /** @param command the program and its arguments */
  constructor(command: readonly string[], options: SupervisedOptions) {
    this.#options = options;
    this.#watchdog = new Watchdog(options.stallMs, () => {
      if (options.countsCpuTime === true && this.#hasComputed()) {
        this.touch();
        return;
      }
      this.#firstReason ??= 'stalled';
      this.#signal('SIGKILL');
      this.#goneTimer = setTimeout(this.#giveUp, GONE_WITHIN_MS);
    });
    this.#child = spawnWithPipes(command, options);
    if (this.#child.pid !== undefined) setPriority(this.#child.pid, options.niceness);
    this.stdin = this.#child.stdin;
    this.stdout = this.#child.stdout;
    this.extra = this.#child.stdio[3];
    this.more = this.#child.stdio.slice(4) as Readable[];
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-STDERR_TAIL_CHARS);
      this.#stderrLines += text.split('\n').length - 1;
    });
    // If the process dies while it reads, the pipe breaks. Its exit status says why; the error of the pipe adds
    // nothing.
    this.stdin.on('error', () => this.touch());
    this.ended = this.#settle();
  }

  /** Lines written to standard error so far. */
  get stderrLines(): number {
    return this.#stderrLines;
  }

  /** Reports that bytes have moved: the watchdog starts over. */
  touch(): void {
    this.#watchdog.heard();
  }

  /** Reports that the process waits for us: the watchdog pauses. */
  idle(): void {
    this.#watchdog.rest();
  }

  /** Sends SIGTERM, then SIGKILL. Settles when the process is gone; never rejects. */
  async kill(): Promise<void> {
    this.#signal('SIGTERM');
    // `ended` would wait forever for pipes that are no longer read.
    this.stdout.destroy();
    this.extra.destroy();
    for (const pipe of this.more) pipe.destroy();
    await this.ended;
  }

  /**
   * Closes standard input, so that the process exits normally and an encoder releases its session; then SIGTERM, then
   * SIGKILL. Settles when the process is gone; never rejects.
   */
  async finish(): Promise<void> {
    this.stdin.end();
    const timer = setTimeout(() => void this.kill(), FINISH_WITHIN_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** Whether the process has used CPU time since the last call. */
  #hasComputed(): boolean {
    const before = this.#cpuTicks;
    this.#cpuTicks = cpuTicksOf(this.#child.pid ?? 0);
    return this.#cpuTicks - before > this.#options.stallMs * COMPUTING_TICKS_PER_MS;
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { killTree } = this.#options;
    const { pid } = this.#child;
    if (killTree !== undefined && pid !== undefined) killTree(pid);
    this.#child.kill(killTree === undefined ? signal : 'SIGKILL');
  }

  async #settle(): Promise<ProcessEnd> {
    const { signal } = this.#options;
    this.touch();
    const onAbort = (): void => {
      this.#firstReason ??= 'stopped';
      this.#signal('SIGTERM');
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const givenUp = new Promise<null>((resolve) => (this.#giveUp = () => resolve(null)));
    const result = await Promise.race([this.#child, givenUp]);
    clearTimeout(this.#goneTimer);
    signal?.removeEventListener('abort', onAbort);
    this.#watchdog.rest();
    if (result === null) this.#abandonPipes();
    const stderrTail = this.#stderrTail.trim();
    if (result === null)
      return { reason: 'stalled', exitCode: null, signalName: null, stderrTail, cause: undefined };
    const exitCode = result.exitCode ?? null;
    const signalName = result.signal ?? null;
    const reason = result.failed ? (this.#firstReason ?? reasonOf(result)) : 'exited';
    return { reason, exitCode, signalName, stderrTail, cause: result.cause };
  }

  /** Ends the pipes for their readers although the process keeps them open. */
  #abandonPipes(): void {
    for (const pipe of [this.stdout, this.extra, ...this.more]) {
      pipe.push(null);
      pipe.once('end', () => pipe.destroy());
    }
    this.stdin.destroy();
  }
}

function reasonOf(result: {
  readonly code?: string | undefined;
  readonly signal?: string | undefined;
  readonly exitCode?: number | undefined;
}): EndReason {
  if (result.code === 'ENOENT') return 'not-found';
  if (result.signal !== undefined) return 'signalled';
  return result.exitCode === undefined ? 'not-started' : 'exited';
}

function spawnWithPipes(command: readonly string[], { env, cwd, moreOutputs = 0 }: SupervisedOptions) {
  const more = Array.from({ length: moreOutputs }, () => 'pipe' as const);
  return spawnChild(command, cwd === undefined ? { env } : { env, cwd }, {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', ...more],
    encoding: 'buffer',
    forceKillAfterDelay: KILL_AFTER_MS,
  });
}

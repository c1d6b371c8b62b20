import { setPriority, tmpdir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { execa, execaSync } from 'execa';
import { childEnvironment } from '../../config/environment.ts';
import { FfmpegError, TransientError, StoppedError } from '../../domain/errors.ts';
import { findProgram } from '../../lib/find-program.ts';
import { Watchdog } from '../../lib/watchdog.ts';
import { killSandbox, sandboxArguments, type Reach } from './sandbox.ts';

const STDERR_TAIL_CHARS = 4_000;
const KILL_AFTER_MS = 500;
const FINISH_WITHIN_MS = 200;
/** A process in an uninterruptible call of a driver outlives SIGKILL: it is waited for so long and no longer. */
const GONE_WITHIN_MS = 2_000;
const FFMPEG_NICENESS = 10;

export interface FfmpegOptions {
  /** What the run is for, in the error's sentence: `decoding clip.mp4`. */
  readonly purpose: string;
  readonly signal?: AbortSignal | undefined;
  /** Killed when `touch` was not called for so long while `busy` (R32). */
  readonly stallMs?: number | undefined;
  /** Set where it reads a file that a stranger made: it runs in a sandbox then, where there is one. */
  readonly reach?: Reach;
}

/**
 * A running ffmpeg or ffprobe. States: running → ended, once; the first reason of the end wins (stalled, stopped,
 * exit). `ended` settles when the process is gone and its pipes are closed, and rejects unless it exited with 0.
 *
 * Whoever moves bytes calls `touch`; whoever makes the process wait on purpose (back-pressure) calls `idle`, so
 * that only a process that owes us something can be called stalled.
 */
export class FfmpegProcess {
  readonly ended: Promise<void>;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** File descriptor 3, for a second output (`pipe:3`). */
  readonly extra: Readable;
  #stalled = false;
  #stopped = false;
  #complaints = 0;
  readonly #child: ReturnType<typeof spawn>;
  readonly #isSandboxed: boolean;
  readonly #stallMs: number;
  readonly #stall: Watchdog;
  #giveUp: () => void = () => undefined;
  #goneTimer: NodeJS.Timeout | undefined;

  constructor(program: 'ffmpeg' | 'ffprobe', args: readonly string[], options: FfmpegOptions) {
    this.#stallMs = options.stallMs ?? 60_000;
    this.#stall = new Watchdog(this.#stallMs, () => {
      this.#stalled = true;
      this.#signal('SIGKILL');
      this.#goneTimer = setTimeout(this.#giveUp, GONE_WITHIN_MS);
    });
    const sandbox = options.reach === undefined ? null : sandboxed(program, options.reach);
    this.#isSandboxed = sandbox !== null;
    this.#child = spawn(sandbox ?? [program], args);
    // Behind the engine: a core taken from one of its threads makes the others wait (end to end 0.95 instead of 0.93).
    if (this.#child.pid !== undefined) setPriority(this.#child.pid, FFMPEG_NICENESS);
    const { stdin, stdout, stderr } = this.#child;
    this.stdin = stdin;
    this.stdout = stdout;
    this.extra = this.#child.stdio[3];
    let tail = '';
    stderr.setEncoding('utf8');
    stderr.on('data', (text: string) => {
      tail = (tail + text).slice(-STDERR_TAIL_CHARS);
      this.#complaints += text.split('\n').length - 1;
    });
    // A process that dies while it is fed breaks the pipe; its exit says why, the pipe's error adds nothing.
    this.stdin.on('error', () => this.touch());
    this.ended = this.#settle(program, options, () => tail);
    this.ended.catch(() => undefined); // Handled by whoever awaits it; a kill before that is no unhandled rejection.
  }

  /** Lines that it wrote to standard error. */
  get complaints(): number {
    return this.#complaints;
  }

  /** Bytes moved: the stall clock starts anew. */
  touch(): void {
    this.#stall.heard();
  }

  /** The process waits for us, not we for it: the stall clock stands still. */
  idle(): void {
    this.#stall.rest();
  }

  /** Ends the process: SIGTERM, then SIGKILL. Settles when it is gone; never rejects. */
  async kill(): Promise<void> {
    this.#signal('SIGTERM');
    // Pipes that nobody reads any more would keep `ended` waiting.
    this.stdout.destroy();
    this.extra.destroy();
    await this.ended.catch(() => undefined);
  }

  /**
   * Ends the process in three steps, so that an encoder gives its session back: no more input, and it finishes by itself;
   * SIGTERM, and it closes what it holds; SIGKILL. Settles when it is gone; never rejects.
   */
  async finish(): Promise<void> {
    this.stdin.end();
    const patience = setTimeout(() => void this.kill(), FINISH_WITHIN_MS);
    await this.ended.catch(() => undefined);
    clearTimeout(patience);
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#child;
    if (this.#isSandboxed && pid !== undefined) killSandbox(pid);
    this.#child.kill(this.#isSandboxed ? 'SIGKILL' : signal);
  }

  /** Whoever reads comes to an end, although the pipes stay open. */
  #leavePipes(): void {
    for (const pipe of [this.stdout, this.extra]) {
      pipe.push(null);
      pipe.once('end', () => pipe.destroy());
    }
    this.stdin.destroy();
  }

  async #settle(program: string, options: FfmpegOptions, tail: () => string): Promise<void> {
    this.touch();
    const onAbort = (): void => {
      this.#stopped = true;
      this.#signal('SIGTERM');
    };
    if (options.signal?.aborted === true) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const givenUp = new Promise<null>((resolve) => (this.#giveUp = () => resolve(null)));
    const result = await Promise.race([this.#child, givenUp]);
    clearTimeout(this.#goneTimer);
    options.signal?.removeEventListener('abort', onAbort);
    this.#stall.rest();
    if (result === null) this.#leavePipes();
    else if (!result.failed) return;
    const lastWords = tail().trim();
    if (result === null || this.#stalled) {
      throw new FfmpegError(
        'FFMPEG_STALLED',
        `${program} moved nothing for ${Math.round(this.#stallMs / 1000)} s while ${options.purpose} and was killed.`,
        lastWords,
      );
    }
    if (this.#stopped) throw new StoppedError(`${program} was stopped while ${options.purpose}.`);
    if (result.code === 'ENOENT') {
      throw new TransientError(
        'FFMPEG_MISSING',
        `${program} is not installed or not on PATH; install ffmpeg 5.1 or newer.`,
      );
    }
    if (/No space left on device/i.test(lastWords)) {
      throw new TransientError('DISK_FULL', `The disk filled up while ${options.purpose}.`);
    }
    const how =
      result.signal === undefined ? `exit code ${String(result.exitCode)}` : `signal ${result.signal}`;
    const said = lastWords === '' ? '' : `: ${lastLine(lastWords)}`;
    throw new FfmpegError(
      'FFMPEG_FAILED',
      `${program} failed (${how}) while ${options.purpose}${said}`,
      lastWords,
      {
        cause: result.cause,
        exitCode: result.exitCode,
      },
    );
  }
}

function spawn([program = '', ...before]: readonly string[], args: readonly string[]) {
  return execa(program, [...before, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    buffer: false,
    reject: false,
    encoding: 'buffer',
    // Nothing of our environment, and no folder of ours for relative names in a hostile file (R28).
    extendEnv: false,
    env: childEnvironment(),
    cwd: tmpdir(),
    forceKillAfterDelay: KILL_AFTER_MS,
  });
}

/** The command that runs a program in bubblewrap; null where bubblewrap is not there or may not work. */
function sandboxed(program: string, reach: Reach): string[] | null {
  const searchPath = childEnvironment()['PATH'];
  const bubblewrap = findProgram('bwrap', searchPath);
  const found = findProgram(program, searchPath);
  if (bubblewrap === null || found === null) return null;
  // Many containers forbid what it needs: only doing tells.
  bubblewrapWorks ??= !execaSync(bubblewrap, sandboxArguments(found, { reads: found }).concat('-version'), {
    reject: false,
    extendEnv: false,
    env: childEnvironment(),
    stdio: 'ignore',
  }).failed;
  return bubblewrapWorks ? [bubblewrap, ...sandboxArguments(found, reach)] : null;
}

let bubblewrapWorks: boolean | null = null;

/** Runs to the end with nothing on standard input and gives standard output as text, up to `maxBytes`. */
export async function runForText(
  program: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  options: FfmpegOptions & { readonly maxBytes?: number },
): Promise<string> {
  const child = new FfmpegProcess(program, args, options);
  child.stdin.end();
  child.extra.resume();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    child.touch();
    bytes += chunk.length;
    if (bytes > maxBytes) {
      await child.kill();
      throw new FfmpegError(
        'FFMPEG_FAILED',
        `${program} wrote more than ${maxBytes} bytes while ${options.purpose}.`,
        '',
      );
    }
    chunks.push(chunk);
  }
  await child.ended;
  return Buffer.concat(chunks).toString('utf8');
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1).trim();
}

import { createInterface } from 'node:readline';
import { spawnChild, type ChildOptions } from './spawn-child.ts';

/** Characters kept of each stream. */
const MAX_CHARS = 256 * 1024;
/** Time between SIGTERM and SIGKILL, and from SIGKILL until the process is no longer waited for. */
const GRACE_MS = 1_000;
/** Time for the last output after the process has exited. Processes that it left behind may keep the pipes open for longer. */
const PIPES_MS = 100;

export interface CapturedEnd {
  /** `not-found`: there is no such program. `timeout`: killed, together with all processes that it had started. */
  readonly outcome: 'exited' | 'killed' | 'timeout' | 'not-found';
  /** The exit code; null unless the process exited. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CapturedProcess {
  /** Never rejects. */
  readonly ended: Promise<CapturedEnd>;
  /** Resolves to true when `pattern` has appeared on standard output, to false when the process has ended without it. */
  readonly saw: (pattern: RegExp) => Promise<boolean>;
  /** SIGTERM, then SIGKILL. */
  readonly end: () => Promise<CapturedEnd>;
}

export interface CaptureOptions extends ChildOptions {
  readonly timeoutMs: number;
  /** Called with each complete line on standard output, without its line break. */
  readonly onLine?: (line: string) => void;
}

/**
 * Starts a program that may hang, as drivers do, and captures its output. It runs in its own process group, which is
 * killed as a whole after `timeoutMs`.
 *
 * @param command the program and its arguments
 */
export function startCaptured(
  command: readonly string[],
  { timeoutMs, onLine, ...child }: CaptureOptions,
): CapturedProcess {
  const subprocess = spawnChild(command, child, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const)
    subprocess[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-MAX_CHARS);
      for (const listener of listeners) listener();
    });
  if (onLine !== undefined) createInterface({ input: subprocess.stdout }).on('line', onLine);
  let hasTimedOut = false;
  let hasEnded = false;
  let isEnding = false;
  const killGroup = (signal: NodeJS.Signals): void => {
    if (subprocess.pid === undefined || hasEnded) return;
    try {
      process.kill(-subprocess.pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  };
  const timer = setTimeout(() => {
    hasTimedOut = true;
    killGroup('SIGKILL');
  }, timeoutMs);
  let giveUp = (): void => undefined;
  const ended = new Promise<CapturedEnd>((resolve) => {
    const settle = (outcome: CapturedEnd['outcome'], exitCode: number | null): void => {
      if (hasEnded) return;
      hasEnded = true;
      clearTimeout(timer);
      clearTimeout(goneTimer);
      // A process in an uninterruptible driver call may never exit; its pipes are not waited for.
      subprocess.stdout.destroy();
      subprocess.stderr.destroy();
      resolve({ outcome, exitCode, ...output });
      for (const listener of listeners) listener();
    };
    const goneTimer = setTimeout(() => settle('timeout', null), timeoutMs + GRACE_MS).unref();
    const settleOnExit = (exitCode: number | null): void => {
      if (hasTimedOut) settle('timeout', exitCode);
      else settle(exitCode === null ? 'killed' : 'exited', exitCode);
    };
    void subprocess.then(({ code, exitCode }) => {
      if (code === 'ENOENT') settle('not-found', null);
      else settleOnExit(exitCode ?? null);
    });
    subprocess.once('exit', (exitCode) =>
      setTimeout(() => {
        // What an ended program has started ends with it.
        if (isEnding) killGroup('SIGKILL');
        settleOnExit(exitCode);
      }, PIPES_MS),
    );
    giveUp = () => settle('killed', null);
  });
  return {
    ended,
    saw: (pattern) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = pattern.test(output.stdout);
          if (!found && !hasEnded) return;
          listeners.delete(check);
          resolve(found);
        };
        listeners.add(check);
        check();
      }),
    end: () => {
      isEnding = true;
      killGroup('SIGTERM');
      setTimeout(() => killGroup('SIGKILL'), GRACE_MS).unref();
      setTimeout(giveUp, GRACE_MS + PIPES_MS * 2).unref();
      return ended;
    },
  };
}

/** Runs a program to its end and captures its output. */
export function runCaptured(command: readonly string[], options: CaptureOptions): Promise<CapturedEnd> {
  return startCaptured(command, options).ended;
}

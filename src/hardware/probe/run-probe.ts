import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { childEnvironment } from '../../config/environment.ts';
import { codeOf } from '../../domain/errors.ts';

/** Of each stream; no probe needs more. */
const MOST_CHARS = 256 * 1024;

export interface ProbeEnd {
  /** `missing`: the program is not there. `timeout`: it was killed, with all that it had started. */
  readonly outcome: 'exited' | 'killed' | 'timeout' | 'missing';
  /** null unless it exited. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A probe that runs. */
export interface RunningProbe {
  /** Never rejects. */
  readonly ended: Promise<ProbeEnd>;
  /** Settles when `pattern` came up on standard output, or when the probe has ended. */
  readonly saw: (pattern: RegExp) => Promise<boolean>;
  /** Asks it to end, and kills it when it does not. */
  readonly end: () => Promise<ProbeEnd>;
}

const END_PATIENCE_MS = 1_000;

/**
 * Starts a program whose hanging is one of its answers: drivers do hang. It runs in a process group of its own, which
 * is killed whole when the time is over.
 */
export function startProbe(program: string, args: readonly string[], timeoutMs: number): RunningProbe {
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: childEnvironment(),
    cwd: tmpdir(),
  });
  const said = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] = (said[name] + text).slice(-MOST_CHARS);
      for (const listener of listeners) listener();
    });
  let timedOut = false;
  const killGroup = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error;
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup('SIGKILL');
  }, timeoutMs);
  const ended = new Promise<ProbeEnd>((resolve) => {
    const settle = (outcome: ProbeEnd['outcome'], exitCode: number | null): void => {
      clearTimeout(timer);
      // A process in an uninterruptible call of the driver never goes; its pipes are not waited for.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ outcome, exitCode, ...said });
      for (const listener of listeners) listener();
    };
    child.once('error', () => settle('missing', null));
    child.once('close', (code) => settle(timedOut ? 'timeout' : code === null ? 'killed' : 'exited', code));
    setTimeout(() => settle('timeout', null), timeoutMs + END_PATIENCE_MS).unref();
  });
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  return {
    ended,
    saw: (pattern) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = pattern.test(said.stdout);
          if (!found && !hasEnded) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        void ended.then(look);
        look();
      }),
    end: () => {
      killGroup('SIGTERM');
      setTimeout(() => killGroup('SIGKILL'), END_PATIENCE_MS).unref();
      return ended;
    },
  };
}

/** Runs a probe to its end. */
export function runProbe(program: string, args: readonly string[], timeoutMs: number): Promise<ProbeEnd> {
  return startProbe(program, args, timeoutMs).ended;
}

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

export const MAIN = resolve(import.meta.dirname, '../../dist/main.js');

/** A home with settings for short tests: small batches, and files count as complete after 0.2 s. */
export function makeHome(root: string, settings = ''): string {
  for (const folder of ['input/lanczos-2x', 'models']) mkdirSync(join(root, folder), { recursive: true });
  const quick =
    'intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 10, frames: 20 }\nworkspace: { memoryFraction: 0.05 }\n';
  writeFileSync(join(root, 'framekiln.yaml'), settings === '' ? quick : settings);
  return root;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** kill -9 for the daemon, its worker and every ffmpeg at once. */
  readonly killGroup: () => Promise<void>;
}

/**
 * Starts the real program in its own process group, which is killed when the test is over.
 *
 * @param wrapper a program, with arguments, that runs the command that follows them
 */
export function start(
  args: readonly string[],
  environment: Record<string, string> = {},
  stdout: 'ignore' | 'pipe' = 'ignore',
  wrapper: readonly string[] = [],
): Running {
  const [program = '', ...others] = [...wrapper, process.execPath, MAIN, ...args];
  const child = spawn(program, others, {
    detached: true,
    stdio: ['ignore', stdout, 'ignore'],
    env: { ...process.env, ...environment },
  });
  const ended = new Promise<number | null>((end) => child.once('exit', (code) => end(code)));
  const killGroup = async () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
    await ended;
  };
  onTestFinished(killGroup);
  return { child, ended, killGroup };
}

/** The synchronous wait stops the test runner, so that its own time limits do not apply. */
const RUN_LIMIT_MS = 120_000;

/** Runs the real program until it exits; the status is null if it hangs. */
export function run(
  args: readonly string[],
  environment: Record<string, string> = {},
  timeout = RUN_LIMIT_MS,
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout,
  });
  return { status, stdout, stderr };
}

export function readLog(home: string): string {
  const path = join(home, 'logs/framekiln.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Numbers of the frames that a model processed, one entry for each time, from the trace of the worker. */
export function tracedFrames(traceFile: string): number[] {
  if (!existsSync(traceFile)) return [];
  return readFileSync(traceFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]));
}

/** Pids of processes whose command line names this folder. */
export function processesOf(home: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid) || pid === process.pid) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(home);
      } catch {
        return false; // The process has ended meanwhile.
      }
    });
}

/** Relative paths of all files in a folder and its subfolders. */
export function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));
}

/** Frames that the last resumed job already had, by the log; null where no job was resumed. */
export function resumedFrames(log: string): number | null {
  const last = [...log.matchAll(/resuming from checkpoint: (\d+) of \d+ frames already done/g)].at(-1);
  return last === undefined ? null : Number(last[1]);
}

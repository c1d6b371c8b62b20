import type { Home } from '../config/home.ts';
import { StateLostError, toError, WorkerFailingError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import { ownOwner } from '../lib/process/process-identity.ts';
import { acquireDaemonLock } from './acquire-daemon-lock.ts';
import { Daemon, type DaemonOptions } from './daemon.ts';
import { recogniseHome } from './recognise-home.ts';
import { StateWatch } from './state-watch.ts';
import { withHealthyQueue } from './with-healthy-queue.ts';

export interface RunDaemonOptions extends Omit<DaemonOptions, 'home'> {
  readonly home: Home;
}

/** Errors that end the daemon with a log line, not with a stack trace. systemd restarts it after exit code `failed`. */
const EXPECTED_ENDS = [
  [StateLostError, ExitCode.stateLost],
  [WorkerFailingError, ExitCode.failed],
] as const;

/**
 * Runs the daemon of a home until it is stopped: it watches the input folder, queues files, keeps a worker alive while
 * there is work, and carries out commands. It never loads a model or decodes a frame, so no video can crash it.
 */
export async function runDaemon(options: RunDaemonOptions): Promise<ExitCode> {
  const { home, log, signal, once } = options;
  const lock = await acquireDaemonLock(home.lockFile);
  if (lock === null) {
    log.error(`another Framekiln daemon is already using ${home.root}; exiting`);
    return ExitCode.alreadyRunning;
  }
  const state = new StateWatch();
  state.watch(home.lockFile);
  try {
    const exitCode = await withHealthyQueue({
      home,
      log,
      signal,
      use: async (queue) => {
        state.watch(home.databaseFile);
        const known = await recogniseHome(home, queue, log);
        queue.home.setDaemon(ownOwner());
        return new Daemon({ ...options, home: known }, queue, state).run();
      },
    });
    return exitCode ?? (once ? ExitCode.stopped : ExitCode.ok);
  } catch (error) {
    const exitCode = EXPECTED_ENDS.find(([kind]) => error instanceof kind)?.[1];
    if (exitCode === undefined) throw error;
    log.error(withoutFullStop(toError(error).message));
    return exitCode;
  } finally {
    lock.release();
  }
}

import type { Home } from '../config/home.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { acquireDaemonLock } from './acquire-daemon-lock.ts';
import { Daemon, type DaemonOptions } from './daemon.ts';
import { recogniseHome } from './recognise-home.ts';
import { withHealthyQueue } from './with-healthy-queue.ts';

export interface RunDaemonOptions extends Omit<DaemonOptions, 'home'> {
  readonly home: Home;
}

/**
 * Runs the daemon of a home until it is stopped: it watches the input folder, queues files, keeps a worker alive while
 * there is work, and carries out commands. It never loads a model or decodes a frame, so no video can crash it.
 */
export async function runDaemon(options: RunDaemonOptions): Promise<ExitCode> {
  const { home, log, signal, once } = options;
  const lock = await acquireDaemonLock(home.lockFile);
  if (lock === null) {
    log.error(`another Framekiln daemon is already running on ${home.root}; exiting`);
    return ExitCode.alreadyRunning;
  }
  try {
    const exitCode = await withHealthyQueue({
      home,
      log,
      signal,
      use: async (queue) =>
        new Daemon({ ...options, home: await recogniseHome(home, queue, log) }, queue).run(),
    });
    return exitCode ?? (once ? ExitCode.stopped : ExitCode.ok);
  } finally {
    lock.release();
  }
}

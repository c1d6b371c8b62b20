import { isatty } from 'node:tty';

/**
 * Aborts at the first Ctrl-C, `kill` or closed terminal. Further signals are ignored while the process stops.
 *
 * A closed terminal counts only for a process that uses it. Started with nohup or as a service, it continues: nohup ignores
 * SIGHUP, but Node resets that at its start.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => controller.abort(name));
  const usesTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  process.on('SIGHUP', () => {
    if (usesTerminal) controller.abort('SIGHUP');
  });
  return controller.signal;
}

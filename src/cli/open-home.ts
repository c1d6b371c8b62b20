import { ensureHome, resolveHome, type Home } from '../config/home.ts';
import { loadSettings, type LoadedSettings } from '../config/load-settings.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import type { Cli, GlobalOptions } from './cli.ts';

export interface OpenHome extends LoadedSettings {
  readonly home: Home;
}

/** The home folder of the command, with its subfolders created. */
export function makeHome(options: GlobalOptions): Home {
  const home = resolveHome({ flag: options.home ?? null, cwd: process.cwd() });
  ensureHome(home);
  return home;
}

/** Opens the home and its settings, and prints the errors in the settings. */
export function openHome(cli: Cli, options: GlobalOptions): OpenHome {
  const home = makeHome(options);
  const loaded = loadSettings({ home, flags: options.set ?? [] });
  for (const fault of loaded.faults) cli.complain(fault);
  return { home, ...loaded };
}

/** Runs `action` with the queue of the home, and always closes the queue. */
export async function withQueue<T>(home: Home, action: (queue: Queue) => T | Promise<T>): Promise<T> {
  const queue = openQueue(home.databaseFile);
  try {
    return await action(queue);
  } finally {
    queue.close();
  }
}

import { ensureHome, resolveHome, type Home } from '../config/home.ts';
import { loadSettings, type LoadedSettings } from '../config/load-settings.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import type { Cli, GlobalOptions } from './cli.ts';

export interface OpenHome extends LoadedSettings {
  readonly home: Home;
}

/** The home that the command works on, its folders made. */
export function makeHome(options: GlobalOptions): Home {
  const home = resolveHome({ flag: options.home ?? null, cwd: process.cwd() });
  ensureHome(home);
  return home;
}

/** The home and its settings, with their faults told to the person. */
export function openHome(cli: Cli, options: GlobalOptions): OpenHome {
  const home = makeHome(options);
  const loaded = loadSettings({ home, flags: options.set ?? [] });
  for (const fault of loaded.faults) cli.complain(fault);
  return { home, ...loaded };
}

/** Runs `action` with the home's queue, and closes it however that ends. */
export async function withQueue<T>(home: Home, action: (queue: Queue) => T | Promise<T>): Promise<T> {
  const queue = openQueue(home.databaseFile);
  try {
    return await action(queue);
  } finally {
    queue.close();
  }
}

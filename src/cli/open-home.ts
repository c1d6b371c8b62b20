import { ensureHome, resolveHome, type Home } from '../config/home.ts';
import { loadSettings } from '../config/load-settings.ts';
import type { Settings } from '../config/settings.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import type { Cli, GlobalOptions } from './cli.ts';

export interface OpenHome {
  readonly home: Home;
  readonly settings: Settings;
  /** What is wrong with framekiln.yaml, a sentence each; nothing of a faulty file is used. */
  readonly faults: readonly string[];
}

/** The home that the command works on, its folders made, and its settings. */
export function readHome(options: GlobalOptions): OpenHome {
  const home = resolveHome({ flag: options.home ?? null, cwd: process.cwd() });
  ensureHome(home);
  return { home, ...loadSettings(home) };
}

/** As `readHome`, with the faults of the settings told to the person. */
export function openHome(cli: Cli, options: GlobalOptions): OpenHome {
  const place = readHome(options);
  for (const fault of place.faults) cli.complain(fault);
  return place;
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

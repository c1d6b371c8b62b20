import { watch, type FSWatcher } from 'chokidar';
import { toError } from '../domain/errors.ts';

export interface FolderWatcherOptions {
  readonly folder: string;
  /** Ask for changes instead of being told: for network shares. */
  readonly polling: boolean;
  /** Something in the folder may have changed. Called at once, and as often as events come. */
  readonly onHint: () => void;
  readonly onTrouble: (sentence: string) => void;
}

/**
 * Turns chokidar's many events into one: "look at the folder soon". Hints only: what is there, a scan tells (R21), so
 * no event that is missed or doubled matters. States: watching ⇄ rewatching (the folder was made anew) → closed.
 */
export class FolderWatcher {
  readonly #options: FolderWatcherOptions;
  #watcher: FSWatcher;

  constructor(options: FolderWatcherOptions) {
    this.#options = options;
    this.#watcher = this.#watch();
  }

  /** Watches the folder that has the name now; the one that was watched may be deleted. */
  async rewatch(): Promise<void> {
    const old = this.#watcher;
    this.#watcher = this.#watch();
    await old.close();
  }

  /** May be called twice. */
  async close(): Promise<void> {
    await this.#watcher.close();
  }

  #watch(): FSWatcher {
    const { folder, polling, onHint, onTrouble } = this.#options;
    let inTrouble = false;
    return watch(folder, { followSymlinks: false, ignoreInitial: true, usePolling: polling, interval: 1000 })
      .on('all', onHint)
      .on('error', (error) => {
        if (inTrouble) return;
        inTrouble = true;
        onTrouble(
          `${folder} cannot be watched whole (${toError(error).message}); new files are found by looking every intake.rescanSeconds.`,
        );
      });
  }
}

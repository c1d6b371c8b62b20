import { watch, type FSWatcher } from 'chokidar';
import { toError } from '../domain/errors.ts';

export interface FolderWatcherOptions {
  readonly folder: string;
  /** Poll for changes instead of waiting for events, for network shares. */
  readonly polling: boolean;
  /** Something in the folder may have changed. Called at once, and as often as events come. */
  readonly onHint: () => void;
  readonly onTrouble: (sentence: string) => void;
}

/**
 * Turns chokidar's many events into one hint to scan the folder soon. Missed and duplicate events do no harm, because
 * only a scan decides which files exist. States: watching ⇄ rewatching (the folder was replaced) → closed.
 */
export class FolderWatcher {
  readonly #options: FolderWatcherOptions;
  #watcher: FSWatcher;

  constructor(options: FolderWatcherOptions) {
    this.#options = options;
    this.#watcher = this.#watch();
  }

  /** Watches the folder that is now at the path, after the previous one was deleted. */
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
          `cannot watch all of ${folder} (${toError(error).message}); relying on periodic scans instead (intake.rescanSeconds)`,
        );
      });
  }
}

import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { toError } from '../domain/errors.ts';
import { shownName, type Place } from '../lib/byte-name.ts';
import { isMissingFile } from '../lib/file-errors.ts';

export interface FolderWatcherOptions {
  /** Called at every event, which means that something in a folder may have changed. */
  readonly onHint: () => void;
  readonly onTrouble: (sentence: string) => void;
}

interface Watched {
  /** Device and inode, because another folder may have taken the path. */
  readonly identity: string;
  readonly watcher: FSWatcher;
}

/**
 * Hints at changes in the folders that a scan has found. Only folders are watched, never what is in them, so no file, link
 * or pipe can stop the events of others. Missed and duplicate events do no harm, because only a scan decides which files
 * exist; the next scan also watches again what could not be watched.
 */
export class FolderWatcher {
  readonly #options: FolderWatcherOptions;
  readonly #watched = new Map<string, Watched>();
  #inTrouble = false;
  #closed = false;

  constructor(options: FolderWatcherOptions) {
    this.#options = options;
  }

  /** Watches the folder that is at this path now, also through a link. Call it before the folder is read. */
  async watch(folder: Place): Promise<void> {
    const { onHint } = this.#options;
    const path = shownName(folder);
    try {
      const { dev, ino } = await stat(folder);
      const identity = `${dev}:${ino}`;
      if (this.#closed || this.#watched.get(path)?.identity === identity) return;
      this.#forget(path);
      const watcher = watch(folder, onHint).on('error', (error) => this.#lose(path, error));
      this.#watched.set(path, { identity, watcher });
    } catch (error) {
      if (!isMissingFile(error)) this.#lose(path, error);
    }
  }

  /** Stops watching folders that the last scan has not found. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of [...this.#watched.keys()]) if (!paths.has(path)) this.#forget(path);
  }

  /** Stops watching all folders. May be called twice. */
  close(): void {
    this.#closed = true;
    this.keepOnly(new Set());
  }

  #forget(path: string): void {
    this.#watched.get(path)?.watcher.close();
    this.#watched.delete(path);
  }

  /** Reports once that events may be missed, such as when the system allows no more watches. */
  #lose(path: string, error: unknown): void {
    this.#forget(path);
    if (this.#inTrouble) return;
    this.#inTrouble = true;
    this.#options.onTrouble(
      `cannot watch ${path} (${toError(error).message}); relying on periodic scans instead (intake.rescanSeconds)`,
    );
  }
}

import { mkdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { codeOf, InputRejectedError, TransientError, toError } from '../domain/errors.ts';
import type { VideoShape } from '../domain/video-shape.ts';
import type { Job } from '../domain/job.ts';
import { isTransientDatabaseError } from '../domain/transient-errors.ts';
import { describeRecipe, type Recipe } from '../domain/recipe.ts';
import type { SeenFile } from '../domain/seen-file.ts';
import { sha256File } from '../lib/sha256-file.ts';
import type { Logger } from '../observability/log-entry.ts';
import { findFiles, signatureOf, type Finding, type FoundFile } from './find-files.ts';
import { FolderWatcher } from './folder-watcher.ts';
import { recipeForFile, type RecipeRules } from './recipe-for-file.ts';
import { judge } from './stability.ts';

/** Stores the state of each file in the input folder. */
export interface SeenFileLedger {
  list(): SeenFile[];
  putAll(files: readonly SeenFile[]): void;
  removeAll(paths: readonly string[]): void;
}

export interface FileToEnqueue {
  readonly sourcePath: string;
  readonly outputPath: string;
  readonly fingerprint: string;
  readonly recipe: Recipe;
  readonly video: VideoShape;
}

/** Settings that may change while the intake runs. */
export interface IntakeSettings {
  /** How long a file must stay unchanged before it is queued. */
  readonly settleMs: number;
  /** The longest time between two scans. */
  readonly rescanMs: number;
  readonly rules: RecipeRules;
}

export interface IntakeOptions {
  readonly inputDir: string;
  readonly outputDir: string;
  /** Poll for changes instead of waiting for events, for network shares. */
  readonly polling: boolean;
  /** The current settings. */
  readonly settings: () => IntakeSettings;
  readonly seenFiles: SeenFileLedger;
  /** Queues a file; `created` is false if a job with this content and recipe exists. */
  readonly enqueue: (file: FileToEnqueue) => { readonly job: Job; readonly created: boolean };
  /** Throws InputRejectedError if the file is not a complete, readable video. */
  readonly probe: (path: string, signal: AbortSignal) => Promise<VideoShape>;
  /** Describes the estimate for a new job, for the log. */
  readonly estimate: (job: Job) => Promise<string>;
  /** Called for a rejected file after its state has been stored. */
  readonly onRejected: (path: string, error: InputRejectedError) => Promise<void>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Events come in bursts; the scan waits for the burst to pass. */
const HINT_MS = 200;
/** Timers may fire slightly before the wall clock reaches the instant. */
const TIMER_SLACK_MS = 20;

/**
 * Finds videos in the input folder and queues them once they are complete. Only scans read the folder; events and timers
 * just trigger them.
 *
 * States: idle → scanning (a timer or a hint) → idle, with the next timer set … → closed. One scan at a time; a hint
 * that comes during a scan causes another one after it.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #closing = new AbortController();
  #watcher: FolderWatcher | null = null;
  #timer: NodeJS.Timeout | undefined;
  #scanning: Promise<void> = Promise.resolve();
  #settling = 0;
  #rejected = 0;
  #inode: number | null = null;
  #unreadable: ReadonlySet<string> = new Set();
  #dueAtMs = Infinity;
  #hinted = false;
  #lastScanMs = 0;
  #scanned = false;
  #failure: unknown = null;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Whether the first scan has ended. */
  get hasScanned(): boolean {
    return this.#scanned;
  }

  /** Files that may still be growing, as of the last scan. */
  get settlingCount(): number {
    return this.#settling;
  }

  /** Rejected files and unreadable folders in the last scan; at least 1 if the scan itself failed. */
  get rejectedCount(): number {
    return this.#rejected;
  }

  /** The error of the last scan; null if it succeeded. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Watches the folder from now on; settles after the first scan. */
  async start(): Promise<void> {
    const { inputDir, polling, log } = this.#options;
    this.#watcher = new FolderWatcher({
      folder: inputDir,
      polling,
      onHint: () => {
        this.#hinted = true;
        this.#scanIn(Math.max(HINT_MS, 5 * this.#lastScanMs));
      },
      onTrouble: (sentence) => log.warn(sentence),
    });
    await this.#scanAndPlan();
  }

  /** Stops watching and aborts a running scan. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#watcher?.close();
    await this.#scanning;
  }

  /** Scans the folder once and queues the settled files. */
  async scan(): Promise<void> {
    const { inputDir, seenFiles, settings, now } = this.#options;
    const { settleMs } = settings();
    await this.#ensureFolder();
    const { files: found, unreadable } = await findFiles(inputDir);
    this.#sayUnreadable(unreadable);
    const known = new Map(seenFiles.list().map((seen) => [seen.path, seen]));
    const judged = found.map((file) => ({ file, ...judge(known.get(file.path), file, now(), settleMs) }));
    seenFiles.putAll(judged.map(({ seen }) => seen).filter((seen) => known.get(seen.path) !== seen));
    const present = new Set(found.map((file) => file.path));
    seenFiles.removeAll([...known.keys()].filter((path) => !present.has(path)));
    for (const { file } of judged) {
      if (!known.has(file.path))
        this.#options.log.debug(`${this.#name(file.path)} found; waiting until it stops changing`);
    }
    for (const { file, settled } of judged) {
      if (settled && !this.#closing.signal.aborted) await this.#take(file);
    }
    const after = seenFiles.list();
    this.#settling = after.filter((seen) => seen.state === 'settling').length;
    this.#rejected = after.filter((seen) => seen.state === 'rejected').length + unreadable.length;
  }

  /** Queues a settled file: recipe, probe, fingerprint, job. A file that changes meanwhile is left for a later scan. */
  async #take(file: FoundFile): Promise<void> {
    const { settings, probe, seenFiles, now, log } = this.#options;
    const { signal } = this.#closing;
    const seen = { ...file, sinceAtMs: now() };
    try {
      const recipe = await recipeForFile(file.path, settings().rules);
      const video = await probe(file.path, signal);
      const fingerprint = await sha256File(file.path, signal);
      if ((await signatureOf(file.path)) !== file.signature) return;
      await this.#enqueue(file.path, { fingerprint, recipe, video });
      seenFiles.putAll([{ ...seen, state: 'taken', code: null, message: null }]);
    } catch (error) {
      if (signal.aborted || codeOf(error) === 'ENOENT') return; // Closed, or the file is gone.
      if (error instanceof TransientError || isTransientDatabaseError(error)) throw error; // Not the fault of this file; the next scan retries.
      // No file may stop the files after it.
      const { message } = toError(error);
      const how = error instanceof InputRejectedError ? 'rejected' : 'cannot be queued';
      log.error(`${this.#name(file.path)} ${how} (${codeOf(error)}): ${message}`);
      seenFiles.putAll([{ ...seen, state: 'rejected', code: codeOf(error), message }]);
      if (error instanceof InputRejectedError) await this.#options.onRejected(file.path, error);
    }
  }

  async #enqueue(
    path: string,
    known: Pick<FileToEnqueue, 'fingerprint' | 'recipe' | 'video'>,
  ): Promise<void> {
    const { outputDir, enqueue, estimate, log } = this.#options;
    const name = this.#name(path);
    const outputPath = join(outputDir, name);
    const { job, created } = enqueue({
      sourcePath: path,
      outputPath,
      ...known,
    });
    if (created) {
      const as =
        job.outputPath === outputPath
          ? ''
          : `; another output has that name, so this one is ${basename(job.outputPath)}`;
      const what = `${describeRecipe(known.recipe)}${as}`;
      log.info(`queued ${name} as job ${job.id}: ${what}; ${await estimate(job)}`);
    } else if (job.state !== 'queued' && job.state !== 'running') {
      const other = job.sourcePath === path ? '' : `, ${this.#name(job.sourcePath)}`;
      log.info(
        `${name} skipped: same content as job ${job.id}${other} (${job.state}); to process it again: framekiln retry ${job.id}`,
      );
    } else {
      log.info(`${name} skipped: same content as job ${job.id} (${job.state})`);
    }
  }

  #sayUnreadable(unreadable: Finding['unreadable']): void {
    for (const { folder, code } of unreadable) {
      if (this.#unreadable.has(folder)) continue;
      this.#options.log.warn(`${this.#name(folder)} cannot be read (${code}); its videos are not processed`);
    }
    this.#unreadable = new Set(unreadable.map(({ folder }) => folder));
  }

  /** Creates the folder if it was deleted, and watches it anew if it was replaced. */
  async #ensureFolder(): Promise<void> {
    const { inputDir, log } = this.#options;
    if ((await mkdir(inputDir, { recursive: true })) !== undefined)
      log.warn(`${inputDir} was missing; created it again`);
    const { ino } = await stat(inputDir);
    if (this.#inode !== null && this.#inode !== ino) await this.#watcher?.rewatch();
    this.#inode = ino;
  }

  /** Schedules a scan unless an earlier one is due: endless events must not postpone it forever. */
  #scanIn(ms: number): void {
    const dueAtMs = performance.now() + ms;
    if (this.#closing.signal.aborted || dueAtMs >= this.#dueAtMs) return;
    clearTimeout(this.#timer);
    this.#dueAtMs = dueAtMs;
    this.#timer = setTimeout(() => void this.#scanAndPlan(), ms);
  }

  async #scanAndPlan(): Promise<void> {
    const before = this.#scanning;
    this.#scanning = before.then(async () => {
      if (this.#closing.signal.aborted) return;
      this.#dueAtMs = Infinity;
      this.#hinted = false;
      const startedAtMs = performance.now();
      try {
        await this.scan();
        this.#failure = null;
      } catch (error) {
        this.#failure = error;
        this.#rejected = Math.max(1, this.#rejected);
        this.#options.log.error(`cannot scan the input folder: ${toError(error).message}; retrying`);
      }
      this.#lastScanMs = performance.now() - startedAtMs;
      this.#scanned = true;
      this.#scanIn(this.#nextScanMs());
    });
    await this.#scanning;
  }

  #nextScanMs(): number {
    // A long copy sends events all the time: scans must not take more than a sixth of a core.
    if (this.#hinted) return Math.max(HINT_MS, 5 * this.#lastScanMs);
    const { settleMs, rescanMs } = this.#options.settings();
    return this.#settling > 0 || this.#failure !== null
      ? Math.min(settleMs + TIMER_SLACK_MS, rescanMs)
      : rescanMs;
  }

  #name(path: string): string {
    return relative(this.#options.inputDir, path);
  }
}

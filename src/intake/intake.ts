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

/** Where the rule's state is kept. */
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

export interface IntakeOptions {
  readonly inputDir: string;
  readonly outputDir: string;
  readonly settleMs: number;
  readonly rescanMs: number;
  readonly polling: boolean;
  readonly rules: RecipeRules;
  readonly seenFiles: SeenFileLedger;
  /** One job for one content with one recipe: `created` is false for what is known. */
  readonly enqueue: (file: FileToEnqueue) => { readonly job: Job; readonly created: boolean };
  /** Throws InputRejectedError when the file is not a whole, readable video. */
  readonly probe: (path: string, signal: AbortSignal) => Promise<VideoShape>;
  /** What a job that was just queued will take, for the log. */
  readonly estimate: (job: Job) => Promise<string>;
  /** What else is done with a rejected file; its state is written down already. */
  readonly onRejected: (path: string, error: InputRejectedError) => Promise<void>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Events come in flocks; the look waits for the flock to pass. */
const HINT_MS = 200;
/** Timers may ring a little before the clock that the rule reads. */
const TIMER_SLACK_MS = 20;

/**
 * Finds videos in the input folder and puts them into the queue when they are whole. A scan of the folder is the
 * truth; events and timers only say when to scan.
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

  /** Whether the folder was looked at to the end at least once. */
  get hasScanned(): boolean {
    return this.#scanned;
  }

  /** Files that may still be growing, as of the last scan. */
  get settlingCount(): number {
    return this.#settling;
  }

  /** Files and folders that could not be used, as of the last scan; one when the whole scan failed. */
  get rejectedCount(): number {
    return this.#rejected;
  }

  /** What the last scan failed with; null when it did not. */
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

  /** Ends watching and whatever is under way. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#watcher?.close();
    await this.#scanning;
  }

  /** Looks at every file in the folder once; takes those that are settled. */
  async scan(): Promise<void> {
    const { inputDir, seenFiles, settleMs, now } = this.#options;
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
        this.#options.log.debug(
          `${this.#name(file.path)} is there; it is taken when it has stopped changing`,
        );
    }
    for (const { file, settled } of judged) {
      if (settled && !this.#closing.signal.aborted) await this.#take(file);
    }
    const after = seenFiles.list();
    this.#settling = after.filter((seen) => seen.state === 'settling').length;
    this.#rejected = after.filter((seen) => seen.state === 'rejected').length + unreadable.length;
  }

  /** Takes a settled file: recipe, probe, fingerprint, queue. A file that changes meanwhile is not settled after all. */
  async #take(file: FoundFile): Promise<void> {
    const { rules, probe, seenFiles, now, log } = this.#options;
    const { signal } = this.#closing;
    const seen = { ...file, sinceAtMs: now() };
    try {
      const recipe = await recipeForFile(file.path, rules);
      const video = await probe(file.path, signal);
      const fingerprint = await sha256File(file.path, signal);
      if ((await signatureOf(file.path)) !== file.signature) return;
      await this.#enqueue(file.path, { fingerprint, recipe, video });
      seenFiles.putAll([{ ...seen, state: 'taken', code: null, message: null }]);
    } catch (error) {
      if (signal.aborted || codeOf(error) === 'ENOENT') return; // Ended, or gone: the next scan sees what is there.
      if (error instanceof TransientError || isTransientDatabaseError(error)) throw error; // It is not about this file: the next scan tries again.
      // Whatever one file does, those after it are taken (R13).
      const { message } = toError(error);
      const how = error instanceof InputRejectedError ? 'is rejected' : 'cannot be taken';
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
          : `; another video has that name, so it becomes ${basename(job.outputPath)}`;
      const what = `${describeRecipe(known.recipe)}${as}`;
      log.info(`queued ${name} as job ${job.id}: ${what}; ${await estimate(job)}`);
    } else if (job.state !== 'queued' && job.state !== 'running') {
      const other = job.sourcePath === path ? '' : ` (${this.#name(job.sourcePath)})`;
      log.info(
        `${name} is known by its content as job ${job.id}${other}, which is ${job.state}; \`framekiln retry ${job.id}\` does it again`,
      );
    } else {
      log.info(`${name} is known by its content as job ${job.id}, which is ${job.state}`);
    }
  }

  #sayUnreadable(unreadable: Finding['unreadable']): void {
    for (const { folder, code } of unreadable) {
      if (this.#unreadable.has(folder)) continue;
      this.#options.log.warn(
        `${this.#name(folder)} cannot be read (${code}); the videos in it are not found.`,
      );
    }
    this.#unreadable = new Set(unreadable.map(({ folder }) => folder));
  }

  /** The folder may have been deleted, and made again by us or by somebody else. */
  async #ensureFolder(): Promise<void> {
    const { inputDir, log } = this.#options;
    if ((await mkdir(inputDir, { recursive: true })) !== undefined)
      log.warn(`${inputDir} was gone and has been made again.`);
    const { ino } = await stat(inputDir);
    if (this.#inode !== null && this.#inode !== ino) await this.#watcher?.rewatch();
    this.#inode = ino;
  }

  /** Plans a scan, unless one is planned sooner: a flock of events that never ends must not put it off for ever. */
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
        this.#options.log.error(
          `the input folder could not be worked off: ${toError(error).message}; it is tried again`,
        );
      }
      this.#lastScanMs = performance.now() - startedAtMs;
      this.#scanned = true;
      this.#scanIn(this.#nextScanMs());
    });
    await this.#scanning;
  }

  #nextScanMs(): number {
    // A long copy sends events without end: looking must not take more than a sixth of a core.
    if (this.#hinted) return Math.max(HINT_MS, 5 * this.#lastScanMs);
    const { settleMs, rescanMs } = this.#options;
    return this.#settling > 0 || this.#failure !== null
      ? Math.min(settleMs + TIMER_SLACK_MS, rescanMs)
      : rescanMs;
  }

  #name(path: string): string {
    return relative(this.#options.inputDir, path);
  }
}

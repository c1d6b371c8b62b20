import { mkdirSync } from 'node:fs';
import { asUser } from '../lib/user-umask.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import { nameInInput, shownName, type Place } from '../lib/byte-name.ts';
import { codeOf, toError, TransientError } from '../domain/errors.ts';
import { findFiles, type Finding } from './find-files.ts';
import { FolderWatcher } from './folder-watcher.ts';
import { linkByteNames, removeStaleLinks } from './link-byte-names.ts';
import { updateKnownFiles } from './known-files.ts';
import { withLateSpeech } from './late-speech.ts';
import type { RecipeRules } from './recipe-for-file.ts';
import { pauseAfterHintMs, pauseAfterScanMs, ScanTimer } from './scan-timer.ts';
import { takeFile, type TakeContext } from './take-file.ts';

/** Settings that may change while the intake runs. */
export interface IntakeSettings {
  /** How long a file must stay unchanged before it is queued. */
  readonly settleMs: number;
  /** The longest time between two scans. */
  readonly rescanMs: number;
  /** Whether a video that is large enough for its recipe gets no job. */
  readonly skipLarger: boolean;
  readonly rules: RecipeRules;
}

export interface IntakeOptions extends TakeContext {
  /** Poll for changes instead of waiting for events, for network shares. */
  readonly polling: boolean;
  /** The current settings. */
  readonly settings: () => IntakeSettings;
}

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
  readonly #timer = new ScanTimer(() => void this.#scanAndSchedule());
  readonly #watcher: FolderWatcher;
  #scanning: Promise<void> = Promise.resolve();
  #settling = 0;
  #rejected = 0;
  #unreadable: ReadonlySet<string> = new Set();
  #isStarted = false;
  #hinted = false;
  #lastScanMs = 0;
  #scanned = false;
  #failure: unknown = null;
  #rules = '';

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#watcher = new FolderWatcher({
      onHint: () => {
        this.#hinted = true;
        this.#scheduleIn(pauseAfterHintMs(this.#lastScanMs));
      },
      onTrouble: (sentence) => options.log.warn(sentence),
    });
  }

  /** Whether the first scan has ended. */
  get hasScanned(): boolean {
    return this.#scanned;
  }

  /** Files that may still be growing, as of the last scan. */
  get settlingCount(): number {
    return this.#settling;
  }

  /** Files that are rejected, as of the last scan that did not fail. */
  get rejectedCount(): number {
    return this.#rejected;
  }

  /** Whether the last scan failed, or could not read some folders. */
  get isIncomplete(): boolean {
    return this.#failure !== null || this.#unreadable.size > 0;
  }

  /** The error of the last scan; null if it succeeded. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Scans the folder from now on; resolves after the first scan. */
  async start(): Promise<void> {
    this.#isStarted = true;
    await this.#scanAndSchedule();
  }

  /** Stops watching and aborts a running scan. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#timer.clear();
    await this.#scanning;
    this.#watcher.close();
  }

  /** Scans the folder now, after a scan in progress; resolves when the scan has ended. */
  async rescan(): Promise<void> {
    await this.#scanAndSchedule();
  }

  /** Scans the folder once and queues the settled files. */
  async scan(): Promise<void> {
    const { seenFiles, settings, now, log } = this.#options;
    const { signal } = this.#closing;
    await this.#ensureFolder();
    const { files, unreadable } = await this.#findFiles();
    this.#reportUnreadable(unreadable);
    const { settleMs, skipLarger, rules } = settings();
    this.#lookAgainIfChanged(JSON.stringify([skipLarger, rules]));
    const late = await withLateSpeech(seenFiles.list(), rules);
    const again = { state: 'settling', sinceAtMs: now(), code: null, message: null } as const;
    seenFiles.putAll(late.map((file) => ({ ...file, ...again })));
    const { added, settled } = updateKnownFiles(seenFiles, files, { nowMs: now(), settleMs });
    for (const { path } of added) log.debug(`${this.#name(path)} found; waiting until it stops changing`);
    for (const file of settled)
      if (!signal.aborted) await takeFile(file, { rules, settleMs, skipLarger }, this.#options, signal);
    const known = seenFiles.list();
    this.#settling = known.filter(({ state }) => state === 'settling').length;
    this.#rejected = known.filter(({ state }) => state === 'rejected').length;
  }

  /** Checks files that needed no job again after a start, and when the settings that decided it have changed. */
  #lookAgainIfChanged(rules: string): void {
    if (rules === this.#rules) return;
    this.#rules = rules;
    const { seenFiles } = this.#options;
    const skipped = seenFiles.list().filter(({ state, code }) => state === 'taken' && code !== null);
    seenFiles.putAll(skipped.map((file) => ({ ...file, state: 'settling', code: null, message: null })));
  }

  /** Finds the files, and watches the folders that contain them. */
  async #findFiles(): Promise<Finding> {
    const { inputDir, polling, seenFiles } = this.#options;
    const folders = new Set<string>();
    const taken = new Map(
      seenFiles
        .list()
        .filter(({ state }) => state === 'taken')
        .map(({ path, signature }) => [path, signature]),
    );
    const onFolder = async (folder: Place): Promise<void> => {
      folders.add(shownName(folder));
      if (this.#isStarted && !polling) await this.#watcher.watch(folder);
    };
    const { files, unreadable } = await findFiles(inputDir, onFolder, (path) => taken.get(path) ?? null);
    this.#watcher.keepOnly(folders);
    const readable = linkByteNames(inputDir, files);
    await removeStaleLinks(inputDir, readable);
    return { files: readable, unreadable };
  }

  /**
   * Creates the folder if it was deleted.
   *
   * @throws TransientError FOLDER_MISSING if its disk is missing
   */
  async #ensureFolder(): Promise<void> {
    const { inputDir, log, whyMissing } = this.#options;
    const why = await whyMissing();
    if (why !== null) throw new TransientError('FOLDER_MISSING', why);
    try {
      // Not `recursive`: a home that was moved away must not appear again.
      asUser(() => mkdirSync(inputDir));
      log.warn(`${inputDir} was missing; created it again`);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }

  /** Reports each unreadable folder once. */
  #reportUnreadable(unreadable: Finding['unreadable']): void {
    for (const { folder, code } of unreadable) {
      if (this.#unreadable.has(folder)) continue;
      this.#options.log.warn(`${this.#name(folder)} cannot be read (${code}); its videos are not processed`);
    }
    this.#unreadable = new Set(unreadable.map(({ folder }) => folder));
  }

  #scheduleIn(ms: number): void {
    if (!this.#closing.signal.aborted) this.#timer.scheduleIn(ms);
  }

  /** Scans once the previous scan has ended, then schedules the next scan. */
  async #scanAndSchedule(): Promise<void> {
    this.#scanning = this.#scanning.then(async () => {
      if (this.#closing.signal.aborted) return;
      this.#timer.clear();
      this.#hinted = false;
      await this.#tryScan();
      this.#scheduleIn(this.#pauseMs());
    });
    await this.#scanning;
  }

  async #tryScan(): Promise<void> {
    const startedAtMs = performance.now();
    try {
      await this.scan();
      this.#failure = null;
    } catch (error) {
      const { message } = toError(error);
      const isNew = this.#failure === null || toError(this.#failure).message !== message;
      this.#failure = error;
      if (isNew)
        this.#options.log.error(`cannot scan the input folder: ${withoutFullStop(message)}; retrying`);
    }
    this.#lastScanMs = performance.now() - startedAtMs;
    this.#scanned = true;
  }

  #pauseMs(): number {
    const { settleMs, rescanMs } = this.#options.settings();
    return pauseAfterScanMs({
      hinted: this.#hinted,
      lastScanMs: this.#lastScanMs,
      isUnsettled: this.#settling > 0 || this.#failure !== null,
      polling: this.#options.polling,
      settleMs,
      rescanMs,
    });
  }

  #name(path: string): string {
    return nameInInput(this.#options.inputDir, path);
  }
}

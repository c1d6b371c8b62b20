import { mkdir, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { childEnvironment } from '../../config/environment.ts';
import { programRoot, type Home } from '../../config/home.ts';
import { startCaptured, type CapturedEnd, type CapturedProcess } from '../../lib/process/captured-process.ts';
import { HttpError } from '../http-error.ts';
import { afterLine, NO_TRY, TryLine, type TryState } from './try-state.ts';

/** Enough for a large frame and a slow model on a slow machine; somebody who waits can cancel. */
const TIME_LIMIT_MS = 30 * 60_000;
/** A large model takes an hour and longer for a clip of 10 s on a CPU. */
const CLIPS_TIME_LIMIT_MS = 24 * 3_600_000;

export interface TryRequest {
  /** Absolute path of a video or still image. */
  readonly path: string;
  /** null: the middle of the video. */
  readonly atSeconds: number | null;
  readonly models: readonly string[];
  /** Length of a clip of each model; null: no clips. */
  readonly seconds: number | null;
  /** null: that of the settings. */
  readonly scale: number | null;
}

/**
 * Runs `framekiln try` for the page, as a process of its own, because it loads models, and the daemon never does. States of
 * a run: running → done, failed or cancelled. One run at a time; the images of the last one are kept.
 */
export class TryRuns {
  readonly #home: Pick<Home, 'root' | 'stateDir'>;
  readonly #flags: readonly string[];
  #state = NO_TRY;
  #child: CapturedProcess | null = null;

  /** @param signal aborted when the page closes */
  constructor(home: Pick<Home, 'root' | 'stateDir'>, flags: readonly string[], signal: AbortSignal) {
    this.#home = home;
    this.#flags = flags;
    signal.addEventListener('abort', () => this.cancel());
  }

  get state(): TryState {
    return this.#state;
  }

  /** Starts a run. @throws HttpError if another one is running */
  async start(request: TryRequest): Promise<TryState> {
    if (this.#state.state === 'running')
      throw new HttpError(409, 'TRY_RUNNING', 'Another comparison is running; wait for it or cancel it.');
    const run = Date.now();
    this.#state = { ...NO_TRY, run, state: 'running', file: request.path };
    // One that was cancelled may still write into the folder.
    await this.#child?.end();
    try {
      await rm(this.#folder, { recursive: true, force: true });
      await mkdir(this.#folder);
    } catch (error) {
      this.#state = { ...this.#state, state: 'failed', error: `Cannot write to ${this.#folder}.` };
      throw error;
    }
    // Cancelled while the old images were removed.
    if (this.#isRunning(run)) this.#run(request, run);
    return this.#state;
  }

  /** Ends the run; what it has found so far is kept. */
  cancel(): void {
    if (this.#state.state === 'running') this.#state = { ...this.#state, state: 'cancelled' };
    void this.#child?.end();
  }

  /** An image of the last run, as PNG. The name only selects one of the images that the run has listed. */
  async image(run: number, name: string): Promise<Buffer> {
    const found = this.#state.run === run && this.#state.results.find(({ image }) => image === name);
    if (found === false || found === undefined)
      throw new HttpError(404, 'NO_IMAGE', 'This image belongs to an earlier comparison.');
    return readFile(join(this.#folder, found.image));
  }

  /** A clip of the last run, to be closed by the caller. The name only selects one of those that the run has listed. */
  async clip(run: number, name: string): Promise<FileHandle> {
    const found = this.#state.run === run && this.#state.results.some(({ clip }) => clip === name);
    if (!found) throw new HttpError(404, 'NO_CLIP', 'This clip belongs to an earlier comparison.');
    return open(join(this.#folder, name));
  }

  get #folder(): string {
    return join(this.#home.stateDir, 'try');
  }

  #isRunning(run: number): boolean {
    return this.#state.run === run && this.#state.state === 'running';
  }

  #run({ path, atSeconds, seconds, models, scale }: TryRequest, run: number): void {
    const command = [
      ...[process.execPath, join(programRoot, 'dist/main.js'), 'try', '--json'],
      ...['--home', this.#home.root, ...this.#flags.flatMap((flag) => ['--set', flag])],
      ...['--out', this.#folder, '--models', models.join(',')],
      ...(atSeconds === null ? [] : ['--at', String(atSeconds)]),
      ...(seconds === null ? [] : ['--seconds', String(seconds)]),
      ...(scale === null ? [] : ['--scale', String(scale)]),
      ...['--', path],
    ];
    const child = startCaptured(command, {
      ...{ env: childEnvironment(), timeoutMs: seconds === null ? TIME_LIMIT_MS : CLIPS_TIME_LIMIT_MS },
      onLine: (text) => this.#read(text, run),
    });
    this.#child = child;
    void child.ended.then((end) => {
      if (this.#child === child) this.#child = null;
      if (this.#isRunning(run)) this.#state = { ...this.#state, ...verdict(end, this.#state) };
    });
  }

  #read(text: string, run: number): void {
    const line = TryLine.safeParse(parseJson(text));
    if (line.success && this.#isRunning(run)) this.#state = afterLine(this.#state, line.data);
  }
}

/** A run with any result is done: the failures of single models are listed. */
function verdict(
  { exitCode, outcome, stderr }: CapturedEnd,
  { results, failures }: TryState,
): Pick<TryState, 'state' | 'error'> {
  if (exitCode === 0 || (outcome === 'exited' && results.length + failures.length > 0))
    return { state: 'done', error: null };
  const why = stderr.trim().split('\n').at(-1) ?? '';
  return { state: 'failed', error: why === '' ? `The comparison ended without a result (${outcome}).` : why };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

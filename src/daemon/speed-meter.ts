import { modelFolders, type Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import { toError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { CoreSpeed, ModelSpeed } from '../domain/speed.ts';
import { findModel, installedUpscalers } from '../inference/models/find-model.ts';
import { modelPurposeOf } from '../inference/models/manifest.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Measurement } from '../trial/measure-entry.ts';
import { startMeasurement } from '../trial/run-measurement.ts';
import { speedRequest } from '../trial/speed-request.ts';
import { readSpeeds, writeSpeeds, type Speeds } from '../trial/speeds-file.ts';
import { JobHold } from './job-hold.ts';

/** `skipped`: to be measured later. */
type Outcome = 'measured' | 'failed' | 'skipped';

export interface SpeedMeterOptions {
  readonly home: Pick<Home, 'speedsFile' | 'probeFile' | 'models'>;
  readonly settings: () => Pick<Settings, 'estimate' | 'engine' | 'encoder' | 'recipe' | 'intake'>;
  readonly log: Logger;
  readonly now: () => number;
  /** Called after each measurement. */
  readonly onMeasured?: () => void;
  /** Whether a measurement may start: nothing pauses work, and no job disturbs it. Absent: always. */
  readonly mayMeasure?: () => boolean;
  /** Measures in a process of its own, unless a test says otherwise. */
  readonly measure?: typeof startMeasurement;
}

/**
 * Measures how fast models run on this machine, each once, one after the other. What was measured is kept until the machine,
 * its driver or the program changes.
 *
 * States: idle ⇄ measuring → closed. Jobs do not start while it is measuring, since they would disturb it; but not for longer
 * than half a minute in total. Where it may not measure, it skips the measurement instead of waiting, as those who ask for it
 * keep jobs waiting.
 */
export class SpeedMeter {
  readonly #options: SpeedMeterOptions;
  readonly #asked = new Map<string, Promise<void>>();
  #speeds: Promise<Speeds>;
  #last: Promise<unknown> = Promise.resolve();
  #running: { end(): Promise<unknown> } | null = null;
  readonly #hold: JobHold;
  #hasSkipped = false;
  readonly #closing = new AbortController();

  constructor(options: SpeedMeterOptions) {
    this.#options = options;
    this.#hold = new JobHold(options.now);
    this.#speeds = readSpeeds(options.home);
    this.#speeds.catch(() => undefined);
  }

  /** Everything that was measured so far. */
  speeds(): Promise<Speeds> {
    return this.#speeds;
  }

  /** Whether jobs should wait because something is being measured. */
  get mustWait(): boolean {
    return this.#hold.mustWait;
  }

  /** Measures the recipes of the settings and the installed models, unless they were. Never rejects. */
  async measureInstalled(): Promise<void> {
    if (!this.#options.settings().estimate.measure) return;
    const { recipe, intake } = this.#options.settings();
    // Held as a whole: a job that starts between two measurements would prevent the second.
    const work = this.#hold.during(async () => {
      const installed = await this.installed();
      const others = recipe.pipeline === 'upscale' ? installed.map((model) => ({ ...recipe, model })) : [];
      for (const each of [recipe, ...Object.values(intake.folders), ...others]) await this.ready(each);
    });
    await work.catch((error: unknown) => {
      this.#options.log.debug(`the installed models are not measured: ${toError(error).message}`);
    });
  }

  /** Measures what had to be skipped before, if it may be measured now. */
  retrySkipped(): void {
    if (!this.#hasSkipped || this.#isClosed() || !this.#mayMeasure()) return;
    this.#hasSkipped = false;
    void this.measureInstalled();
  }

  /** Names of the upscaling models on this machine. */
  async installed(): Promise<string[]> {
    return installedUpscalers(modelFolders(this.#options.home), await readKnownModels());
  }

  /**
   * Resolves when the model of a recipe was measured, or cannot be now. Never rejects.
   *
   * @param engine the settings that apply, unless another precision is wanted for a comparison
   */
  async ready(recipe: Recipe, engine = this.#options.settings().engine): Promise<void> {
    const { settings, log } = this.#options;
    if (!settings().estimate.measure || this.#isClosed()) return;
    try {
      const manifest = await readKnownModels();
      const request = await speedRequest(recipe, { engine }, manifest);
      await this.#coreReady();
      if (request === null) return;
      const { key, threads, precision } = request;
      await this.#once(
        key,
        recipe.model,
        ({ models }) => key in models,
        async () => {
          const model = await findModel(
            recipe.model,
            modelFolders(this.#options.home),
            manifest,
            modelPurposeOf(recipe),
          );
          const measurement: Measurement =
            recipe.pipeline === 'dual-face'
              ? { kind: 'dual-face', recipe, model, threads }
              : { kind: 'model', model, device: recipe.device, threads, precision };
          const speed = await this.#measure<ModelSpeed>(measurement);
          if (speed === null) return 'failed';
          // On a GPU, the elapsed time counts.
          if (speed.device === 'gpu' && !this.#mayMeasure()) return 'skipped';
          await this.#add(({ core, models }) => ({ core, models: { ...models, [key]: speed } }));
          return 'measured';
        },
      );
    } catch (error) {
      log.debug(`the speed of ${recipe.model} is unknown: ${toError(error).message}`);
    }
  }

  /** Ends the measurement in progress and starts no other. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running?.end();
    await this.#last;
  }

  /** Runs a measurement after those before it, unless it was, its result is known or it may not be. */
  #once(
    key: string,
    what: string,
    isKnown: (speeds: Speeds) => boolean,
    measure: () => Promise<Outcome>,
  ): Promise<void> {
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const attempt = async (): Promise<void> => {
      if (this.#isClosed() || isKnown(await this.#speeds)) return;
      const outcome = this.#mayMeasure() ? await measure() : 'skipped';
      if (outcome === 'skipped') {
        this.#hasSkipped = true;
        this.#asked.delete(key);
      } else if (outcome === 'failed' && !this.#isClosed())
        this.#options.log.warn(
          `cannot measure the speed of ${what}; jobs get their time estimate after the first batch`,
        );
    };
    const last = this.#last;
    const turn = this.#hold
      .during(() => last.then(attempt))
      .catch((error: unknown) => {
        // A model that is missing may be installed later.
        this.#asked.delete(key);
        throw error;
      });
    this.#last = turn.catch(() => undefined);
    this.#asked.set(key, turn);
    return turn;
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #mayMeasure(): boolean {
    return this.#options.mayMeasure?.() ?? true;
  }

  /** Resolves when the cores were measured with the encoder settings that apply. */
  #coreReady(): Promise<void> {
    const { crf, preset } = this.#options.settings().encoder;
    return this.#once(
      `core ${preset} ${crf}`,
      'this machine',
      ({ core }) => core?.crf === crf && core.preset === preset,
      async () => {
        const core = await this.#measure<CoreSpeed>({ kind: 'core', crf, preset });
        if (core === null) return 'failed';
        await this.#add(({ models }) => ({ core: { ...core, crf, preset }, models }));
        return 'measured';
      },
    );
  }

  async #measure<Result>(measurement: Measurement): Promise<Result | null> {
    const { measure = startMeasurement } = this.#options;
    // Finding a model takes long enough for a stop to come in between, which would then wait for the measurement.
    if (this.#isClosed()) return null;
    const running = measure<Result>(measurement);
    this.#running = running;
    const result = await running.result;
    this.#running = null;
    return result;
  }

  async #add(change: (speeds: Speeds) => Speeds): Promise<void> {
    const speeds = change(await this.#speeds);
    this.#speeds = Promise.resolve(speeds);
    await writeSpeeds(this.#options.home, speeds);
    this.#options.onMeasured?.();
  }
}

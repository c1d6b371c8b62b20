import { join } from 'node:path';
import { programRoot, type Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import { toError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { CoreSpeed, ModelSpeed } from '../domain/speed.ts';
import { findModel, listModels } from '../inference/models/find-model.ts';
import { modelPurposeOf } from '../inference/models/manifest.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Measurement } from '../trial/measure-entry.ts';
import { startMeasurement } from '../trial/run-measurement.ts';
import { speedRequest } from '../trial/speed-request.ts';
import { readSpeeds, writeSpeeds, type Speeds } from '../trial/speeds-file.ts';
import { readManifestOfProgram } from './read-manifest.ts';

/** Jobs wait this long for measurements at most, in total; two models take a few seconds. */
const LONGEST_HOLD_MS = 30_000;

export interface SpeedMeterOptions {
  readonly home: Pick<Home, 'speedsFile' | 'probeFile' | 'models'>;
  readonly settings: () => Pick<Settings, 'estimate' | 'engine' | 'encoder' | 'recipe' | 'intake'>;
  readonly log: Logger;
  readonly now: () => number;
  /** Called after each measurement. */
  readonly onMeasured?: () => void;
  /** Measures in a process of its own, unless a test says otherwise. */
  readonly measure?: typeof startMeasurement;
}

/**
 * Measures how fast models run on this machine, each once, one after the other. What was measured is kept until the machine,
 * its driver or the program changes.
 *
 * States: idle ⇄ measuring → closed. Jobs do not start while it is measuring, since they would disturb it; but not for longer
 * than half a minute in total.
 */
export class SpeedMeter {
  readonly #options: SpeedMeterOptions;
  readonly #asked = new Map<string, Promise<void>>();
  #speeds: Promise<Speeds>;
  #last: Promise<unknown> = Promise.resolve();
  #running: { end(): Promise<unknown> } | null = null;
  #holdSinceMs: number | null = null;
  #heldMs = 0;
  readonly #closing = new AbortController();

  constructor(options: SpeedMeterOptions) {
    this.#options = options;
    this.#speeds = readSpeeds(options.home);
    this.#speeds.catch(() => undefined);
  }

  /** Everything that was measured so far. */
  speeds(): Promise<Speeds> {
    return this.#speeds;
  }

  /** Whether jobs should wait because something is being measured. */
  get mustWait(): boolean {
    if (this.#holdSinceMs === null) return false;
    return this.#heldMs + this.#options.now() - this.#holdSinceMs < LONGEST_HOLD_MS;
  }

  /** Measures the recipes of the settings and the installed models, unless they were. Never rejects. */
  async measureInstalled(): Promise<void> {
    if (!this.#options.settings().estimate.measure) return;
    const { recipe, intake } = this.#options.settings();
    const installed = await this.installed();
    const others = recipe.pipeline === 'upscale' ? installed.map((model) => ({ ...recipe, model })) : [];
    for (const each of [recipe, ...Object.values(intake.folders), ...others]) await this.ready(each);
  }

  /** Names of the upscaling models on this machine. */
  async installed(): Promise<string[]> {
    const listed = await listModels(this.#folders(), await readManifestOfProgram());
    return listed.flatMap(({ entry, path }) =>
      path === null || entry.purpose !== 'upscale' ? [] : [entry.name],
    );
  }

  /**
   * Resolves when the model of a recipe was measured, or cannot be. Never rejects.
   *
   * @param engine the settings that apply, unless another precision is wanted for a comparison
   */
  async ready(recipe: Recipe, engine = this.#options.settings().engine): Promise<void> {
    const { settings, log } = this.#options;
    if (!settings().estimate.measure || this.#isClosed()) return;
    try {
      const manifest = await readManifestOfProgram();
      const request = await speedRequest(recipe, { engine }, manifest);
      await this.#once(
        'core',
        'this machine',
        ({ core }) => core !== null,
        () => this.#measureCore(),
      );
      if (request === null) return;
      const { key, threads, precision } = request;
      await this.#once(
        key,
        recipe.model,
        ({ models }) => key in models,
        async () => {
          const model = await findModel(recipe.model, this.#folders(), manifest, modelPurposeOf(recipe));
          const measurement: Measurement =
            recipe.pipeline === 'dual-face'
              ? { kind: 'dual-face', recipe, model, threads }
              : { kind: 'model', model, device: recipe.device, threads, precision };
          const speed = await this.#measure<ModelSpeed>(measurement);
          if (speed !== null)
            await this.#add(({ core, models }) => ({ core, models: { ...models, [key]: speed } }));
          return speed !== null;
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

  /** Runs a measurement after those before it, unless it was or its result is known. */
  #once(
    key: string,
    what: string,
    isKnown: (speeds: Speeds) => boolean,
    measure: () => Promise<boolean>,
  ): Promise<void> {
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const turn = this.#last.then(async () => {
      if (this.#isClosed() || isKnown(await this.#speeds)) return;
      const startedAtMs = this.#options.now();
      this.#holdSinceMs = startedAtMs;
      try {
        if (!(await measure()) && !this.#isClosed())
          this.#options.log.warn(
            `cannot measure the speed of ${what}; jobs get their time estimate after the first batch`,
          );
      } finally {
        this.#heldMs += this.#options.now() - startedAtMs;
        this.#holdSinceMs = null;
      }
    });
    this.#last = turn.catch(() => undefined);
    this.#asked.set(key, turn);
    return turn;
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #measureCore(): Promise<boolean> {
    const { crf, preset } = this.#options.settings().encoder;
    const core = await this.#measure<CoreSpeed>({ kind: 'core', crf, preset });
    if (core !== null) await this.#add(({ models }) => ({ core, models }));
    return core !== null;
  }

  async #measure<Result>(measurement: Measurement): Promise<Result | null> {
    const { measure = startMeasurement } = this.#options;
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

  #folders(): string[] {
    return [this.#options.home.models, join(programRoot, 'models')];
  }
}

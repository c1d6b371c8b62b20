import type { Settings } from '../config/settings.ts';
import { Estimator } from '../daemon/estimator.ts';
import { SpeedMeter } from '../daemon/speed-meter.ts';
import type { MediaInfo } from '../domain/media-info.ts';
import type { UpscaleRecipe } from '../domain/recipe.ts';
import { shapeOf } from '../domain/video-shape.ts';
import { silentLogger } from '../observability/silent-logger.ts';
import type { OpenHome } from './open-home.ts';

/** Frames of an hour of video. */
const LONG_FRAMES = 90_000;

/** How long a model needs for a file, as measured; null where it cannot be measured. */
export interface TryTime {
  /** null for a still image. */
  readonly framesPerSecond: number | null;
  /** For the whole file. */
  readonly seconds: number | null;
}

/** How long the models need for a whole file on this machine, as measured; the queue is not read. */
export class TryTimes {
  readonly #media: MediaInfo;
  readonly #meter: SpeedMeter;
  readonly #estimator: Estimator;

  constructor({ home, settings }: OpenHome, media: MediaInfo) {
    const measuring: Settings = { ...settings, estimate: { ...settings.estimate, measure: true } };
    const options = { settings: () => measuring, now: () => performance.now() };
    this.#media = media;
    this.#meter = new SpeedMeter({ ...options, home, log: silentLogger });
    this.#estimator = new Estimator({
      ...options,
      queue: { history: { pastJobs: () => [] } },
      speeds: () => this.#meter.speeds(),
    });
  }

  async of(recipe: UpscaleRecipe): Promise<TryTime> {
    await this.#meter.ready(recipe);
    this.#estimator.forget();
    const { isStill } = this.#media.video;
    const video = shapeOf(this.#media);
    const whole = await this.#estimator.estimate({ recipe, video });
    const long = await this.#estimator.estimate({ recipe, video: { ...video, frames: LONG_FRAMES } });
    return {
      // Of a long video, because a short one mostly waits for its start.
      framesPerSecond: isStill || long?.seconds == null ? null : LONG_FRAMES / long.seconds,
      seconds: whole?.seconds ?? null,
    };
  }
}

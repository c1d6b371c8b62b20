import { parse, join } from 'node:path';
import { InputRejectedError } from '../domain/errors.ts';
import type { UpscaleRecipe } from '../domain/recipe.ts';
import { writeClip } from '../media/encode/write-clip.ts';
import type { Enlarged } from '../trial/enlarge-frame.ts';
import { takeClip, type ClipRequest, type TakenClip } from '../trial/take-clip.ts';
import type { TakenFrame } from '../trial/take-frame.ts';
import type { OpenHome } from './open-home.ts';
import { imageName } from './try-folder.ts';
import type { TryRun } from './try-run.ts';
import { shortName } from './try-output.ts';

export interface ClipsToMake {
  readonly place: OpenHome;
  readonly run: TryRun;
  readonly frame: TakenFrame;
  /** null: no clips. */
  readonly seconds: number | null;
  readonly folder: string;
  readonly detail: ClipRequest['detail'];
}

/** Makes a clip of each model beside the source, which plain resampling enlarges. */
export class TryClips {
  readonly #options: ClipsToMake;
  readonly #source: TakenClip;
  readonly #left: Enlarged;

  /**
   * @returns null if no clips are wanted
   * @throws InputRejectedError for a still image
   */
  static async take(options: ClipsToMake, recipes: readonly UpscaleRecipe[]): Promise<TryClips | null> {
    const { place, run, frame, seconds, detail } = options;
    const [first] = recipes;
    if (seconds === null || first === undefined) return null;
    const { media, atSeconds } = frame;
    if (atSeconds === null)
      throw new InputRejectedError(
        'NO_VIDEO_STREAM',
        'A still image has no clip; leave out --seconds (on the page, set Clip to none).',
      );
    const { signal } = new AbortController();
    const { limits } = place.settings;
    const source = await takeClip({ media, atSeconds, seconds, detail }, first, limits, signal);
    return new TryClips(options, source, await run.enlarge({ ...first, model: 'lanczos' }, source));
  }

  private constructor(options: ClipsToMake, source: TakenClip, left: Enlarged) {
    this.#options = options;
    this.#source = source;
    this.#left = left;
  }

  /** @returns the name of the file; null for the source itself */
  async make(recipe: UpscaleRecipe, onFrame: (done: number, all: number) => void): Promise<string | null> {
    if (recipe.model === 'lanczos') return null;
    const { run, folder } = this.#options;
    const { frames, framesPerSecond } = this.#source;
    const right = await run.enlarge(recipe, this.#source, (done) => onFrame(done, frames.length));
    const name = `${parse(imageName(shortName(recipe.model))).name}.mp4`;
    await writeClip(join(folder, name), this.#left, right, framesPerSecond);
    return name;
  }
}

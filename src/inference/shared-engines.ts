import { createHash } from 'node:crypto';
import type { Engine, LoadedModel, LoadOptions } from './engine.ts';
import { SharedModel, type SharingOptions, type Stream, type StreamShare } from './shared-model.ts';

interface Holding {
  readonly model: Promise<{ readonly loaded: LoadedModel; readonly shared: SharedModel }>;
  users: number;
}

/**
 * The engines of a process, for several streams: a model that two of them use is loaded once, and its time is shared
 * out fairly (D6). The last one that uses it gives its memory back.
 */
export class SharedEngines {
  readonly #engines: readonly Engine[];
  readonly #options: () => SharingOptions;
  readonly #holdings = new Map<string, Holding>();

  /** @param options asked when a model is loaded */
  constructor(engines: readonly Engine[], options: () => SharingOptions) {
    this.#engines = engines;
    this.#options = options;
  }

  /** The engines as one stream sees them, in the same order. `onShare` gets what it had of each model, at its end. */
  forStream(stream: Stream, onShare: (share: StreamShare) => void = () => undefined): Engine[] {
    return this.#engines.map((engine) => ({
      name: engine.name,
      device: engine.device,
      load: (model, options) => this.#load(engine, model, options, stream, onShare),
    }));
  }

  async #load(
    engine: Engine,
    model: Uint8Array,
    options: LoadOptions,
    stream: Stream,
    onShare: (share: StreamShare) => void,
  ): Promise<LoadedModel> {
    const sha256 = createHash('sha256').update(model).digest('hex');
    const key = `${engine.name} ${options.threads} ${sha256}`;
    const holding = this.#holdings.get(key) ?? { model: this.#begin(engine, model, options), users: 0 };
    this.#holdings.set(key, holding);
    holding.users++;
    try {
      const { loaded, shared } = await holding.model;
      return shared.viewFor(stream, async () => {
        onShare(shared.shareOf(stream.id));
        if (this.#leave(key, holding)) await loaded.dispose();
      });
    } catch (error) {
      this.#leave(key, holding);
      throw error;
    }
  }

  async #begin(engine: Engine, model: Uint8Array, options: LoadOptions): Promise<Awaited<Holding['model']>> {
    const loaded = await engine.load(model, options);
    return { loaded, shared: new SharedModel(loaded, this.#options()) };
  }

  /** @returns whether it was the last one that used it */
  #leave(key: string, holding: Holding): boolean {
    holding.users--;
    if (holding.users > 0) return false;
    if (this.#holdings.get(key) === holding) this.#holdings.delete(key);
    return true;
  }
}

import { createHash } from 'node:crypto';
import type { Engine, LoadedModel, LoadOptions } from './engine.ts';
import type { Stream } from './request-scheduler.ts';
import { SharedModel, type SharingOptions } from './shared-model.ts';
import type { StreamShare } from './stream-shares.ts';

interface LoadedOnce {
  readonly model: Promise<{ readonly loaded: LoadedModel; readonly shared: SharedModel }>;
  users: number;
}

/**
 * The engines of a process, shared by several streams: a model that two streams use is loaded once, and the streams take
 * turns fairly. It is unloaded when its last stream disposes it.
 */
export class SharedEngines {
  readonly #engines: readonly Engine[];
  readonly #options: () => SharingOptions;
  readonly #loaded = new Map<string, LoadedOnce>();

  /** @param options read whenever a model is loaded */
  constructor(engines: readonly Engine[], options: () => SharingOptions) {
    this.#engines = engines;
    this.#options = options;
  }

  /** The engines for one stream, in the same order. `onShare` receives the stream's usage of each model when it is disposed. */
  forStream(stream: Stream, onShare: (share: StreamShare) => void = () => undefined): Engine[] {
    return this.#engines.map((engine) => ({
      name: engine.name,
      device: engine.device,
      mustBeatCpu: engine.mustBeatCpu ?? false,
      isFor: (options) => engine.isFor?.(options) ?? true,
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
    const kernels = options.plainKernels === true ? 'plain' : '';
    const key = `${engine.name} ${options.threads} ${options.precision ?? ''} ${kernels} ${sha256}`;
    const entry = this.#loaded.get(key) ?? { model: this.#begin(engine, model, options), users: 0 };
    this.#loaded.set(key, entry);
    entry.users++;
    try {
      const { loaded, shared } = await entry.model;
      return shared.viewFor(stream, async () => {
        onShare(shared.shareOf(stream.id));
        if (this.#leave(key, entry)) await loaded.dispose();
      });
    } catch (error) {
      this.#leave(key, entry);
      throw error;
    }
  }

  async #begin(
    engine: Engine,
    model: Uint8Array,
    options: LoadOptions,
  ): Promise<Awaited<LoadedOnce['model']>> {
    const loaded = await engine.load(model, options);
    return { loaded, shared: new SharedModel(loaded, this.#options()) };
  }

  /** @returns whether no other stream uses the model */
  #leave(key: string, entry: LoadedOnce): boolean {
    entry.users--;
    if (entry.users > 0) return false;
    if (this.#loaded.get(key) === entry) this.#loaded.delete(key);
    return true;
  }
}

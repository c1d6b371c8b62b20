import type { ClusterDatabase } from '../cluster-database.ts';
import type { VideoSetup } from '../protocol.ts';

const LOOK_EVERY_MS = 10_000;

/** Tells, once each, that no worker is connected and why workers do not take batches of a video. */
export class WorkerNotices {
  readonly #told = new Set<string>();
  readonly #setup: VideoSetup;
  readonly #tell: (sentence: string) => void;
  #lookAtMs: number;

  constructor(setup: VideoSetup, tell: (sentence: string) => void) {
    this.#setup = setup;
    this.#tell = tell;
    this.#lookAtMs = performance.now() + LOOK_EVERY_MS;
  }

  /** Call it while nothing is finished. */
  async look(database: ClusterDatabase): Promise<void> {
    if (performance.now() < this.#lookAtMs) return;
    this.#lookAtMs = performance.now() + LOOK_EVERY_MS;
    const workers = await database.workers();
    if (workers.length === 0)
      this.#tellOnce('no cluster worker is connected; run framekiln worker --cluster on each machine');
    for (const { name, refusals } of workers) {
      const reason = refusals[this.#setup.key];
      if (reason !== undefined) this.#tellOnce(`worker ${name} takes no batches of this video: ${reason}`);
    }
  }

  #tellOnce(sentence: string): void {
    if (this.#told.has(sentence)) return;
    this.#told.add(sentence);
    this.#tell(sentence);
  }
}

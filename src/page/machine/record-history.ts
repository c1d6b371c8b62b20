import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../../config/home.ts';
import { MachineHistory, SPANS } from './history.ts';
import type { MachineSampler } from './sample-machine.ts';

const STORE_EVERY_MS = 15 * 60_000;

/**
 * Records the load of the machine every ten seconds, whether a page is open or not. It is stored every quarter of an hour
 * and at the end, without a sync: losing it costs nobody anything.
 */
export class HistoryRecorder {
  readonly history = new MachineHistory();
  readonly #file: string;
  readonly #sampler: Pick<MachineSampler, 'read'>;
  readonly #timers: NodeJS.Timeout[] = [];
  #isReading = false;
  /** What was stored must not be overwritten before it was read. */
  #hasRestored = false;

  constructor({ stateDir }: Pick<Home, 'stateDir'>, sampler: Pick<MachineSampler, 'read'>) {
    this.#file = join(stateDir, 'machine-history.json');
    this.#sampler = sampler;
  }

  async start(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    this.history.restore(text, Date.now() / 1000);
    this.#hasRestored = true;
    void this.#read();
    this.#timers.push(
      setInterval(() => void this.#read(), SPANS['1h'].stepSeconds * 1000),
      setInterval(() => void this.#store(), STORE_EVERY_MS),
    );
  }

  async close(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    // A reading is not waited for: it may hang.
    if (this.#hasRestored) await this.#store();
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const sample = await this.#sampler.read();
      this.history.add(Date.now() / 1000, sample);
    } catch {
      // A gap in the plot.
    } finally {
      this.#isReading = false;
    }
  }

  /** A full or read-only disk costs the history since the last time. */
  async #store(): Promise<void> {
    const temporaryPath = `${this.#file}.part`;
    await writeFile(temporaryPath, this.history.toJson())
      .then(() => rename(temporaryPath, this.#file))
      .catch(() => undefined);
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { toError } from '../../domain/errors.ts';
import type { CommittedBatch } from '../../domain/job.ts';
import type { Logger } from '../../observability/log-entry.ts';
import { codeOfAws, explainFault } from '../aws/aws-errors.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { JobState } from '../state/job-state.ts';
import { MessageLost, superseded } from './ends.ts';
import type { LocalJob } from './local-job.ts';

/** Checkpoints that may be on this machine alone; the next batch waits. */
export const MAX_BEHIND = 3;

const RETRY_MS = 2_000;

export interface MirrorOptions {
  readonly store: ObjectStore;
  readonly state: JobState;
  readonly local: LocalJob;
  readonly claim: number;
  readonly log: Logger;
  readonly secondsHeld: () => number;
  /** Called when this worker finds out that another one has the job. */
  readonly onLost: (error: Error) => void;
  /** Called after each checkpoint. */
  readonly onCopied: () => void;
  /** Called after each part of a checkpoint. */
  readonly onMoved: () => void;
  /** Called with the reason, as a sentence, when a checkpoint could not be copied; it is tried again. */
  readonly onFailed: (why: string) => void;
}

/** Copies each checkpoint of the local database to the store: its segment, then its row. One at a time, in order. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #stored: Set<number>;
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #hasPlan: boolean;

  /** @param stored numbers of the batches that the store had when the job began here */
  constructor(options: MirrorOptions, stored: ReadonlySet<number>) {
    this.#options = options;
    this.#stored = new Set(stored);
    this.#hasPlan = stored.size > 0;
  }

  /** Checkpoints that the store does not have yet. */
  waiting(): CommittedBatch[] {
    const { local } = this.#options;
    return local.queue.batches.listBatches(local.id).filter(({ number }) => !this.#stored.has(number));
  }

  /** Number of checkpoints in the store. */
  get count(): number {
    return this.#stored.size;
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Copies what waits, unless that is under way. */
  look(): void {
    if (this.#running !== null || this.#isClosed) return;
    this.#running = this.#copyAll().finally(() => (this.#running = null));
  }

  /** Settles when everything that waits is copied, or nothing more may be written. */
  async flush(): Promise<void> {
    do {
      this.look();
      await this.#running;
    } while (!this.#isClosed && this.waiting().length > 0);
  }

  /** Writes nothing more. Settles when the request that is under way has ended; may be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #copyAll(): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#closing;
    let isFirst = true;
    for (;;) {
      const [next] = this.waiting();
      if (next === undefined || signal.aborted) return;
      try {
        await this.#copy(next);
        isFirst = true;
      } catch (error) {
        if (this.#isClosed) return;
        if (error instanceof MessageLost) {
          this.#closing.abort();
          this.#options.onLost(error);
          return;
        }
        const reason = explainFault(error) ?? `${codeOfAws(error)}: ${toError(error).message}`;
        const why = `cannot copy batch ${next.number} to the bucket (${reason})`;
        if (isFirst) log.warn(`${why}; retrying`);
        this.#options.onFailed(why);
        isFirst = false;
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #copy(batch: CommittedBatch): Promise<void> {
    const { store, state, local, claim, secondsHeld, onCopied, onMoved } = this.#options;
    const { signal } = this.#closing;
    if (!this.#hasPlan) await this.#copyPlan();
    const padded = String(batch.number).padStart(6, '0');
    const segmentKey = state.key(`segments/b${padded}.${claim}.mp4`);
    await store.putFile(segmentKey, local.folder.segmentPath(batch.segmentName), { signal, onMoved });
    if (await state.isSuperseded(claim)) throw superseded();
    const isOurs = await state.addRow(batch, { claim, segmentKey, secondsHeld: secondsHeld(), signal });
    if (!isOurs) throw superseded();
    this.#stored.add(batch.number);
    onCopied();
  }

  /** The plan is complete with the first checkpoint: some of its choices fall when the model is loaded. */
  async #copyPlan(): Promise<void> {
    const { store, state, local, onMoved } = this.#options;
    const { signal } = this.#closing;
    const { plan, framesTotal } = local.now();
    if (plan === null || framesTotal === null) throw new Error('A job has a checkpoint and no plan.');
    await store.putFile(state.key('frames.index'), local.folder.indexFile, { signal, onMoved });
    if (!(await state.setPlan({ plan, framesTotal }))) throw superseded();
    this.#hasPlan = true;
  }
}

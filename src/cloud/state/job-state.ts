import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CommittedBatch, JobPlan } from '../../domain/job.ts';
import type { Recipe } from '../../domain/recipe.ts';
import { STATE_PREFIX, type CloudJob } from '../queue/job-message.ts';
import { ConditionFailed, type ObjectStore } from '../object-store/object-store.ts';

/** Version of what is stored under a key of STATE_PREFIX. Another version begins jobs anew. */
const FORMAT = 1;

/** A checkpoint of a job in the store. The object of its segment was written before. */
const Row = z.object({
  number: z.int().min(0),
  firstFrame: z.int().min(0),
  frameCount: z.int().min(1),
  // It becomes the name of a local file.
  segmentName: z.string().regex(/^b\d+(\.\d+)?\.\w+$/),
  segmentKey: z.string(),
  segmentBytes: z.int().min(0),
  segmentSha256: z.string(),
  encoder: z.string(),
  elapsedMs: z.number(),
  analysisMs: z.number().nullable(),
  framesReused: z.number().nullable(),
  claim: z.int().min(1),
  /** Seconds for which the worker of this claim had held the message by then. */
  secondsHeld: z.number(),
});
export type StoredRow = z.infer<typeof Row>;

const Claim = z.object({ claim: z.int().min(1), worker: z.string(), messageId: z.string() });
export type StoredClaim = z.infer<typeof Claim>;

const Released = z.object({ secondsHeld: z.number(), reason: z.string() });

const Result = z.looseObject({ worker: z.string(), claim: z.int(), outputKey: z.string() });
export type StoredResult = z.infer<typeof Result>;

export interface StoredPlan {
  readonly plan: JobPlan;
  readonly framesTotal: number;
}

/**
 * The state of one job in the store, under `state/K/`: claims, plan, segments, rows, result. All but the segments and the output
 * are written on the condition that their key is free, so the first writer wins, whatever workers believe.
 */
export class JobState {
  readonly #store: ObjectStore;
  readonly prefix: string;

  constructor(store: ObjectStore, prefix: string) {
    this.#store = store;
    this.prefix = prefix;
  }

  /**
   * The state of a job. Each job has its own, even for the same video: what one tenant sent, another never sees, not even by
   * the speed with which a job ends.
   */
  static of(store: ObjectStore, job: CloudJob, content: { fingerprint: string; recipe: Recipe }): JobState {
    const identity = JSON.stringify([FORMAT, job.jobId, job.output, content.fingerprint, content.recipe]);
    return new JobState(store, `${STATE_PREFIX}${createHash('sha256').update(identity).digest('hex')}/`);
  }

  key(name: string): string {
    return this.prefix + name;
  }

  /** The highest claim; null if no worker has claimed the job yet. */
  async lastClaim(): Promise<(StoredClaim & { isReleased: boolean }) | null> {
    let highest = 0;
    let isReleased = false;
    for await (const { key } of this.#store.list(this.key('claims/'))) {
      const number = Number(/claims\/(\d+)/.exec(key)?.[1] ?? 0);
      if (number > highest) isReleased = false;
      highest = Math.max(highest, number);
      if (number === highest && key.endsWith('.released.json')) isReleased = true;
    }
    if (highest === 0) return null;
    const found = await this.#read(`claims/${claimName(highest)}.json`, Claim);
    return { claim: highest, worker: found?.worker ?? '', messageId: found?.messageId ?? '', isReleased };
  }

  /** Claims the job under the next number. @returns null if another worker was faster */
  async claim(after: number, worker: string, messageId: string): Promise<number | null> {
    const claim = after + 1;
    const isOurs = await this.#once(
      `claims/${claimName(claim)}.json`,
      { claim, worker, messageId },
      (found) => found.worker === worker && found.messageId === messageId,
      Claim,
    );
    return isOurs ? claim : null;
  }

  /** Whether another worker has claimed the job after this claim. */
  async isSuperseded(claim: number): Promise<boolean> {
    return (await this.#store.head(this.key(`claims/${claimName(claim + 1)}.json`))) !== undefined;
  }

  /** Records that a worker gave the job up in order, so that the next one need not ask whether it is alive. */
  async release(claim: number, secondsHeld: number, reason: string): Promise<void> {
    const body = JSON.stringify({ secondsHeld, reason });
    await this.#store.put(this.key(`claims/${claimName(claim)}.released.json`), body);
  }

  /** Seconds for which each claim that released the job had held it. */
  async releasedSeconds(): Promise<Map<number, number>> {
    const seconds = new Map<number, number>();
    for await (const { key } of this.#store.list(this.key('claims/'))) {
      if (!key.endsWith('.released.json')) continue;
      const found = await this.#read(key.slice(this.prefix.length), Released);
      const claim = Number(/claims\/(\d+)/.exec(key)?.[1] ?? 0);
      if (found !== null) seconds.set(claim, found.secondsHeld);
    }
    return seconds;
  }

  /** The alive sign of the worker that holds the job changes while it works. No clock is compared. */
  async setAlive(claim: number, beat: number): Promise<void> {
    await this.#store.put(this.key('alive.json'), JSON.stringify({ claim, beat }));
  }

  /** ETag of the alive sign; null if there is none. */
  async aliveTag(): Promise<string | null> {
    return (await this.#store.head(this.key('alive.json')))?.etag ?? null;
  }

  async plan(): Promise<StoredPlan | null> {
    const found = await this.#store.get(this.key('plan.json'));
    return found === undefined ? null : (JSON.parse(found.body.toString()) as StoredPlan);
  }

  /** Stores the plan if the job has none. @returns whether the job has this plan now */
  async setPlan(plan: StoredPlan): Promise<boolean> {
    const body = JSON.stringify(plan);
    try {
      await this.#store.put(this.key('plan.json'), body, { ifNoneMatch: '*' });
      return true;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return (await this.#store.get(this.key('plan.json')))?.body.toString() === body;
    }
  }

  /** The checkpoints, by number. */
  async rows(): Promise<StoredRow[]> {
    const rows: StoredRow[] = [];
    for await (const { key } of this.#store.list(this.key('rows/'))) {
      const row = await this.#read(key.slice(this.prefix.length), Row);
      if (row !== null) rows.push(row);
    }
    return rows.sort((a, b) => a.number - b.number);
  }

  /** Stores a checkpoint, after its segment. @returns whether this worker's is the one that counts */
  async addRow(
    batch: CommittedBatch,
    { claim, segmentKey, secondsHeld }: { claim: number; segmentKey: string; secondsHeld: number },
  ): Promise<boolean> {
    return this.#once(
      rowName(batch.number),
      { ...batch, claim, segmentKey, secondsHeld },
      (found) => found.segmentKey === segmentKey,
      Row,
    );
  }

  /** Removes a checkpoint whose segment is missing or damaged, so that its frames are processed again. */
  async removeRow(number: number): Promise<void> {
    await this.#store.delete(this.key(rowName(number)));
  }

  async result(): Promise<StoredResult | null> {
    return this.#read('result.json', Result);
  }

  /** Stores the result. @returns whether this worker's is the one that counts */
  async setResult(result: StoredResult): Promise<boolean> {
    return this.#once(
      'result.json',
      result,
      ({ worker, claim }) => worker === result.worker && claim === result.claim,
      Result,
    );
  }

  /** Whether the output has its key and the backend was told. */
  async isDelivered(): Promise<boolean> {
    return (await this.#store.head(this.key('delivered.json'))) !== undefined;
  }

  async setDelivered(): Promise<void> {
    await this.#store.put(this.key('delivered.json'), '{}');
  }

  /**
   * Writes an object if its key is free. An answer that got lost makes the SDK send the request again, which then finds the
   * object of the first one: so what is found is compared.
   */
  async #once<Shape>(
    name: string,
    content: Shape,
    isOurs: (found: Shape) => boolean,
    schema: z.ZodType<Shape>,
  ): Promise<boolean> {
    try {
      await this.#store.put(this.key(name), JSON.stringify(content), { ifNoneMatch: '*' });
      return true;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const found = await this.#read(name, schema);
      return found !== null && isOurs(found);
    }
  }

  /** Reads an object; null if it is missing or is none of ours. */
  async #read<Shape>(name: string, schema: z.ZodType<Shape>): Promise<Shape | null> {
    const found = await this.#store.get(this.key(name));
    if (found === undefined) return null;
    try {
      return schema.safeParse(JSON.parse(found.body.toString())).data ?? null;
    } catch {
      return null;
    }
  }
}

/** Padded, so that names sort as their numbers do. */
function claimName(claim: number): string {
  return String(claim).padStart(6, '0');
}

function rowName(number: number): string {
  return `rows/b${String(number).padStart(6, '0')}.json`;
}

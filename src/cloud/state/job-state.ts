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

const Claim = z.object({
  claim: z.int().min(1),
  worker: z.string(),
  messageId: z.string(),
  /** Price of the machine in USD; null if not known. */
  pricePerHour: z.number().nullable().default(null),
});
export type StoredClaim = z.infer<typeof Claim>;

/** The highest claim of a job. */
export interface LastClaim extends Omit<StoredClaim, 'pricePerHour'> {
  /** Whether its worker has given the job up in order. */
  readonly isReleased: boolean;
}

const Released = z.object({ secondsHeld: z.number(), reason: z.string() });

const Result = z.looseObject({ worker: z.string(), claim: z.int(), outputKey: z.string() });
export type StoredResult = z.infer<typeof Result>;

const Delivered = z.object({ messageId: z.string() });

export interface StoredPlan {
  readonly plan: JobPlan;
  readonly framesTotal: number;
}

/** What a worker writes with a row. */
export interface RowOfClaim {
  readonly claim: number;
  readonly segmentKey: string;
  readonly secondsHeld: number;
  readonly signal: AbortSignal;
}

/** Attempts to replace a row that other workers change meanwhile. */
const ROW_ATTEMPTS = 5;

/**
 * The state of one job in the store, under `state/K/`. Claims, plan and result are written on the condition that their key is
 * free, so the first writer wins, whatever workers believe. Rows are too, but a higher claim replaces the row of a lower one.
 * Segments and outputs have the claim in their keys, so no other worker writes them. The remaining objects have no condition:
 * the alive sign, what a released claim says, and that the job is delivered.
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
   * the speed with which a job ends. A job is its ID and the places of its input and output, with the content of the video.
   */
  static of(store: ObjectStore, job: CloudJob, content: { fingerprint: string; recipe: Recipe }): JobState {
    const { jobId, input, output } = job;
    const identity = JSON.stringify([FORMAT, jobId, input, output, content.fingerprint, content.recipe]);
    return new JobState(store, `${STATE_PREFIX}${createHash('sha256').update(identity).digest('hex')}/`);
  }

  key(name: string): string {
    return this.prefix + name;
  }

  /** The highest claim; null if no worker has claimed the job yet. */
  async lastClaim(): Promise<LastClaim | null> {
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
  async claim(after: number, claimant: Omit<StoredClaim, 'claim'>): Promise<number | null> {
    const claim = after + 1;
    const isOurs = await this.#once(
      `claims/${claimName(claim)}.json`,
      { claim, ...claimant },
      ({ worker, messageId }) => worker === claimant.worker && messageId === claimant.messageId,
      Claim,
    );
    return isOurs ? claim : null;
  }

  /** Price per hour of the machine of each claim; null where it is not known. */
  async prices(): Promise<Map<number, number | null>> {
    const prices = new Map<number, number | null>();
    for await (const { key } of this.#store.list(this.key('claims/'))) {
      if (key.endsWith('.released.json')) continue;
      const found = await this.#read(key.slice(this.prefix.length), Claim);
      if (found !== null) prices.set(found.claim, found.pricePerHour);
    }
    return prices;
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

  /**
   * Stores a checkpoint, after its segment. A row of a lower claim is replaced: a worker that lost the job may have written it
   * late, or its segment is damaged. @returns false if a higher claim has written the row
   */
  async addRow(
    batch: CommittedBatch,
    { claim, segmentKey, secondsHeld, signal }: RowOfClaim,
  ): Promise<boolean> {
    const key = this.key(rowName(batch.number));
    const body = JSON.stringify({ ...batch, claim, segmentKey, secondsHeld });
    for (let attempt = 1; ; attempt++) {
      const found = await this.#store.get(key);
      const row = found === undefined ? null : parse(found.body, Row);
      // An answer that got lost makes the SDK repeat a write that has succeeded.
      if (row?.segmentKey === segmentKey) return true;
      if (row !== null && row.claim > claim) return false;
      try {
        await this.#store.put(
          key,
          body,
          found === undefined ? { ifNoneMatch: '*' } : { ifMatch: found.etag },
          signal,
        );
        return true;
      } catch (error) {
        if (!(error instanceof ConditionFailed) || attempt === ROW_ATTEMPTS) throw error;
      }
    }
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

  /** ID of the message for which the backend was told last that the job is done; null if the job was not delivered. */
  async answeredMessage(): Promise<string | null> {
    return (await this.#read('delivered.json', Delivered))?.messageId ?? null;
  }

  /** Records that the output has its key and the backend was told for this message. */
  async setDelivered(messageId: string): Promise<void> {
    await this.#store.put(this.key('delivered.json'), JSON.stringify({ messageId }));
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
    return found === undefined ? null : parse(found.body, schema);
  }
}

/** What an object says; null if it is none of ours. */
function parse<Shape>(body: Buffer, schema: z.ZodType<Shape>): Shape | null {
  try {
    return schema.safeParse(JSON.parse(body.toString())).data ?? null;
  } catch {
    return null;
  }
}

/** Padded, so that names sort as their numbers do. */
function claimName(claim: number): string {
  return String(claim).padStart(6, '0');
}

function rowName(number: number): string {
  return `rows/b${String(number).padStart(6, '0')}.json`;
}

import { z } from 'zod';
import type { StatusReader } from '../control/read-status.ts';
import { HomeReport, JobReport } from '../control/status-report.ts';
import { codeOf, toError } from '../domain/errors.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import type { Alert } from './alerts/alert-watch.ts';
import { freeSpace } from './machine/free-space.ts';
import { QueueTime, QueueTimeReader } from './queue-time.ts';

const LOOK_EVERY_MS = 1000;
/** Rejected and waiting files that are listed at most; a scan of a folder may reject thousands. */
const FILE_LIMIT = 100;
/** More jobs than can run at the same time (setting `streams.max`). */
const RUNNING_LIMIT = 40;

/** What the page shows at any time, and follows as it changes. */
export const Live = HomeReport.extend({
  counts: z.record(z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled']), z.int()),
  running: z.array(JobReport),
  previews: z
    .record(z.string(), z.int())
    .meta({ description: 'number of the last finished batch of each running job, by job ID' }),
  changeMark: z.string().meta({ description: 'changes whenever a job is added or a command is carried out' }),
  queueTime: QueueTime.nullable().meta({ description: 'null until it is computed' }),
  freeBytes: z.int().nullable().meta({ description: 'free disk space for finished videos; null if unknown' }),
  alerts: z
    .array(
      z.object({
        code: z.string(),
        level: z.enum(['info', 'warning', 'error']),
        message: z.string(),
        remedy: z.string(),
      }),
    )
    .meta({ description: 'what needs attention: limits that are exceeded, and what hinders the daemon' }),
});
export type Live = z.infer<typeof Live>;

export interface LiveSources {
  readonly queue: Queue;
  readonly status: StatusReader;
  /** Absolute path of the folder for finished videos. */
  readonly outputDir: string;
  readonly alerts: () => readonly Alert[];
  readonly log: Logger;
  /** A steady clock, in milliseconds. */
  readonly steadyNow: () => number;
}

/** Reads the state once a second while somebody follows it. The cost does not depend on the number of followers or jobs. */
export class LiveState {
  readonly #sources: LiveSources;
  readonly #followers = new Set<(state: Live) => void>();
  #timer: NodeJS.Timeout | null = null;
  #failure: string | null = null;
  readonly #queueTime: QueueTimeReader;

  constructor(sources: LiveSources) {
    this.#sources = sources;
    this.#queueTime = new QueueTimeReader(sources.queue, sources.status, sources.steadyNow);
  }

  get followerCount(): number {
    return this.#followers.size;
  }

  async read(): Promise<Live> {
    const { queue, status, outputDir, alerts } = this.#sources;
    const { jobs } = queue.jobs.listWindow({
      ...{ states: ['running'], text: '', order: 'queue', offset: 0, limit: RUNNING_LIMIT },
    });
    const previews = jobs.flatMap(({ id }) => {
      const number = queue.batches.lastBatchNumber(id);
      return number === null ? [] : [[String(id), number] as const];
    });
    const counts = queue.jobs.countByState();
    const changeMark = queue.jobs.changeMark();
    const speedsMark = await status.speedsMark();
    return {
      ...status.readHome(FILE_LIMIT),
      counts,
      running: await Promise.all(jobs.map((job) => status.report(job))),
      previews: Object.fromEntries(previews),
      changeMark,
      // The first batch of a job, its end and a measurement change the estimates of those behind it.
      queueTime: this.#queueTime.read(
        JSON.stringify([changeMark, counts, jobs.map(({ id }) => id), Object.keys(previews), speedsMark]),
      ),
      freeBytes: await freeSpace(outputDir),
      alerts: [...alerts()],
    };
  }

  /** Calls `follower` with the state now and every second. @returns a function that ends this */
  follow(follower: (state: Live) => void): () => void {
    this.#followers.add(follower);
    if (this.#timer === null) this.#look();
    else
      void this.#read().then((state) => state !== null && this.#followers.has(follower) && follower(state));
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.#rest();
    };
  }

  close(): void {
    this.#followers.clear();
    this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    // Set before the first await, so that there is one timer; set again afterwards, so that readings do not overlap.
    this.#timer = setTimeout(() => undefined, LOOK_EVERY_MS);
    void this.#read().then((state) => {
      if (this.#timer === null) return;
      if (state !== null) for (const follower of this.#followers) follower(state);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#look(), LOOK_EVERY_MS);
    });
  }

  /** The state, or null if it cannot be read; the reason is logged once. */
  async #read(): Promise<Live | null> {
    try {
      const state = await this.read();
      this.#failure = null;
      return state;
    } catch (error) {
      if (this.#failure !== codeOf(error))
        this.#sources.log.warn(
          `page: cannot read the state of the jobs: ${withoutFullStop(toError(error).message)}; retrying`,
        );
      this.#failure = codeOf(error);
      return null;
    }
  }
}

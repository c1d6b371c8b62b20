import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programVersion } from '../../config/program-version.ts';
import { toError } from '../../domain/errors.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { untilReachable } from '../connect.ts';
import type { VideoSetup } from '../protocol.ts';
import { runTask, type TaskContext } from './run-task.ts';
import { VideoSession, type SessionOptions } from './video-session.ts';
import { whyNotVideo } from './why-not-video.ts';

export interface ClusterWorkerOptions
  extends TaskContext, Omit<SessionOptions, 'setup' | 'folder' | 'store' | 'log' | 'signal'> {
  /** Folder for the sessions of this worker; nothing else uses it. */
  readonly folder: string;
  /** End when no batch waits, instead of waiting for more. */
  readonly once: boolean;
}

const LOOK_EVERY_MS = 500;
/** After a failure or a refusal, other machines have this long before the video is tried here again. */
const REFUSE_MS = 60_000;

interface Refusal {
  readonly reason: string;
  readonly untilMs: number;
}

/**
 * Takes batches of the videos whose plans this machine can hold, one at a time, until it is stopped. The session of a video
 * stays open from batch to batch.
 */
export class ClusterWorker {
  readonly #options: ClusterWorkerOptions;
  readonly #refusals = new Map<string, Refusal>();
  #session: VideoSession | null = null;
  #reportAtMs = 0;

  constructor(options: ClusterWorkerOptions) {
    this.#options = options;
  }

  /** Runs until it is stopped or, with `once`, until no batch waits. */
  async run(): Promise<void> {
    const { signal, once, database, worker } = this.#options;
    try {
      while (!signal.aborted) {
        const hasWorked = await untilReachable(() => this.#takeOne(), this.#options);
        if (!hasWorked && once) return;
        if (!hasWorked) await delay(LOOK_EVERY_MS, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await this.#closeSession();
      await database.removeWorker(worker).catch(() => undefined);
    }
  }

  /** Takes a batch and runs it. @returns whether there was one */
  async #takeOne(): Promise<boolean> {
    const { database } = this.#options;
    const videos = await database.waitingVideos();
    for (const setup of videos) {
      if (await this.#isRefused(setup)) continue;
      const session = await this.#open(setup);
      const task = session === null ? null : await database.takeTask(setup.key);
      if (session === null || task === null) continue;
      await this.#report({ video: setup.name, number: task.range.number });
      const log = this.#options.log.child(setup.name);
      const end = await runTask({ ...this.#options, log }, session, task);
      if (end !== 'done') await this.#closeSession();
      if (end === 'failed') this.#refuse(setup, 'a batch failed here a moment ago');
      return true;
    }
    await this.#report(null);
    return false;
  }

  async #isRefused(setup: VideoSetup): Promise<boolean> {
    const known = this.#refusals.get(setup.key);
    if (known !== undefined && performance.now() < known.untilMs) return true;
    this.#refusals.delete(setup.key);
    if (this.#session?.setup.key === setup.key) return false;
    const reason = await whyNotVideo(setup, this.#options.modelFolders);
    if (reason !== null) this.#refuse(setup, reason);
    return reason !== null;
  }

  #refuse(setup: VideoSetup, reason: string): void {
    const { log, signal } = this.#options;
    if (!signal.aborted) log.warn(`${setup.name}: taking no batches of this video: ${reason}`);
    this.#refusals.set(setup.key, { reason, untilMs: performance.now() + REFUSE_MS });
    this.#reportAtMs = 0;
  }

  /** The session of a video; null if this machine cannot process it. */
  async #open(setup: VideoSetup): Promise<VideoSession | null> {
    if (this.#session?.setup.key === setup.key) return this.#session;
    await this.#closeSession();
    try {
      const { log, folder } = this.#options;
      const place = join(folder, setup.key);
      this.#session = await VideoSession.open({
        ...this.#options,
        setup,
        folder: place,
        log: log.child(setup.name),
      });
      return this.#session;
    } catch (error) {
      if (this.#options.signal.aborted) throw error;
      this.#refuse(setup, withoutFullStop(toError(error).message));
      return null;
    }
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  /** Tells the cluster that this worker is there, and what it refuses. */
  async #report(batch: { video: string; number: number } | null): Promise<void> {
    if (batch === null && performance.now() < this.#reportAtMs) return;
    this.#reportAtMs = performance.now() + 5_000;
    const refusals = Object.fromEntries([...this.#refusals].map(([key, { reason }]) => [key, reason]));
    const state = { name: this.#options.worker, version: programVersion(), refusals, batch };
    await this.#options.database.reportWorker(state);
  }
}

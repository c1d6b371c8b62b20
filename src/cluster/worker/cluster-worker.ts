import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programVersion } from '../../config/program-version.ts';
import { toError } from '../../domain/errors.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { untilReachable } from '../connect.ts';
import type { VideoSetup, WorkerState } from '../protocol.ts';
import { OpenVideo } from './open-video.ts';
import type { TaskContext } from './run-task.ts';
import type { SessionOptions } from './video-session.ts';
import { whyNotVideo } from './why-not-video.ts';

export interface ClusterWorkerOptions
  extends TaskContext, Omit<SessionOptions, 'setup' | 'folder' | 'store' | 'log' | 'signal'> {
  /** Folder for the sessions of this worker; nothing else uses it. */
  readonly folder: string;
  /** End when no batch waits, instead of waiting for more. */
  readonly once: boolean;
}

const LOOK_EVERY_MS = 250;
/** How often a worker says that it is there, whatever it does. */
const REPORT_EVERY_MS = 5_000;
/** After a failure or a refusal, other machines have this long before the video is tried here again. */
const REFUSE_MS = 60_000;

interface Refusal {
  readonly reason: string;
  readonly untilMs: number;
}

/**
 * Takes batches of the videos whose plans this machine can hold, of one video at a time, until it is stopped. A video stays
 * open from batch to batch, and the next batch is decoded while the last ones are upscaled and encoded.
 */
export class ClusterWorker {
  readonly #options: ClusterWorkerOptions;
  readonly #refusals = new Map<string, Refusal>();
  #video: OpenVideo | null = null;
  /** Settles when the last report has been made; reports go one after the other. */
  #reported: Promise<void> = Promise.resolve();

  constructor(options: ClusterWorkerOptions) {
    this.#options = options;
  }

  /** Runs until it is stopped or, with `once`, until no batch waits. */
  async run(): Promise<void> {
    const { signal, once, database, worker } = this.#options;
    this.#report();
    const reports = setInterval(() => this.#report(), REPORT_EVERY_MS);
    try {
      while (!signal.aborted) {
        if (await untilReachable(() => this.#takeOne(), this.#options)) continue;
        const isIdle = (this.#video?.batches.length ?? 0) === 0;
        if (isIdle && once) return;
        await delay(LOOK_EVERY_MS, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearInterval(reports);
      await this.#closeVideo();
      await this.#reported;
      await database.removeWorker(worker).catch(() => undefined);
    }
  }

  /** Takes a batch as soon as there is room for it. @returns whether there was one */
  async #takeOne(): Promise<boolean> {
    await this.#video?.untilRoom();
    if (this.#video !== null && this.#video.end !== null) await this.#closeVideo();
    const { database } = this.#options;
    for (const { setup, isScarce } of await database.waitingVideos()) {
      if (await this.#isRefused(setup)) continue;
      // The last batches are left to whoever can upscale them first. The video stays open until they are taken.
      if (isScarce && this.#video?.setup.key === setup.key && this.#video.isUpscaling) return false;
      const video = await this.#open(setup);
      const task = video === null ? null : await database.takeTask(setup.key);
      if (video === null || task === null) continue;
      void video.start(task).then(() => this.#report());
      this.#report();
      return true;
    }
    return false;
  }

  async #isRefused(setup: VideoSetup): Promise<boolean> {
    const known = this.#refusals.get(setup.key);
    if (known !== undefined && performance.now() < known.untilMs) return true;
    this.#refusals.delete(setup.key);
    if (this.#video?.setup.key === setup.key) return false;
    const reason = await whyNotVideo(setup, this.#options.modelFolders);
    if (reason !== null) this.#refuse(setup, reason);
    return reason !== null;
  }

  #refuse(setup: VideoSetup, reason: string): void {
    const { log, signal } = this.#options;
    if (!signal.aborted) log.warn(`${setup.name}: taking no batches of this video: ${reason}`);
    this.#refusals.set(setup.key, { reason, untilMs: performance.now() + REFUSE_MS });
    this.#report();
  }

  /** The open video with this setup, after another one has been finished; null if this machine cannot process it. */
  async #open(setup: VideoSetup): Promise<OpenVideo | null> {
    if (this.#video?.setup.key === setup.key) return this.#video;
    await this.#closeVideo();
    try {
      const { log, folder } = this.#options;
      this.#video = await OpenVideo.open({
        ...this.#options,
        setup,
        folder: join(folder, setup.key),
        log: log.child(setup.name),
      });
      return this.#video;
    } catch (error) {
      if (this.#options.signal.aborted) throw error;
      this.#refuse(setup, withoutFullStop(toError(error).message));
      return null;
    }
  }

  async #closeVideo(): Promise<void> {
    const video = this.#video;
    this.#video = null;
    await video?.close();
    if (video?.end === 'failed') this.#refuse(video.setup, 'a batch failed here a moment ago');
  }

  /** Tells the cluster that this worker is there, what it does and what it refuses. */
  #report(): void {
    const { database } = this.#options;
    // A database that does not answer is told again at the next time.
    this.#reported = this.#reported.then(() => database.reportWorker(this.#state()).catch(() => undefined));
  }

  #state(): WorkerState {
    const refusals = Object.fromEntries([...this.#refusals].map(([key, { reason }]) => [key, reason]));
    const video = this.#video;
    const work =
      video === null || video.batches.length === 0
        ? null
        : { video: video.setup.name, batches: video.batches };
    return { name: this.#options.worker, version: programVersion(), refusals, work };
  }
}

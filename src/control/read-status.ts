import { stat } from 'node:fs/promises';
import type { Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import { Estimator } from '../daemon/estimator.ts';
import type { AddRequest } from '../domain/add-request.ts';
import type { Job } from '../domain/job.ts';
import { describeRecipe } from '../domain/recipe.ts';
import type { Queue } from '../queue/queue.ts';
import { readReport } from '../reports/media-report.ts';
import { readSpeeds } from '../trial/speeds-file.ts';
import {
  rejectedFiles,
  reportJob,
  skippedFiles,
  waitingFiles,
  type HomeReport,
  type JobReport,
} from './status-report.ts';

function toBeAdded({ path, recipe }: AddRequest): { readonly file: string; readonly recipe: string } {
  return { file: path, recipe: describeRecipe(recipe) };
}

/** Events of each job in the report. */
const HISTORY_LENGTH = 10;

export interface StatusSources {
  readonly home: Home;
  readonly queue: Queue;
  readonly settings: () => Settings;
  readonly isDaemonRunning: () => boolean;
  readonly now: () => number;
}

/** Reads the status of a home and its jobs, for the CLI and the page. */
export class StatusReader {
  readonly #sources: StatusSources;
  readonly #estimator: Estimator;

  constructor(sources: StatusSources) {
    this.#sources = sources;
    this.#estimator = new Estimator({ ...sources, speeds: () => readSpeeds(sources.home) });
  }

  /** Everything but the jobs. @param fileLimit the largest number of rejected and waiting files, together */
  readHome(fileLimit: number): HomeReport {
    const { home, queue, isDaemonRunning } = this.#sources;
    const daemonRunning = isDaemonRunning();
    const files = queue.seenFiles.listNoted(fileLimit);
    return {
      home: home.root,
      daemonRunning,
      queuePaused: queue.control.isQueuePaused(),
      throttled: daemonRunning ? queue.control.throttledReason() : null,
      pending: queue.commands.nextCommands().map(({ kind, jobId, argument, createdAtMs }) => ({
        ...{ command: kind, jobId, at: new Date(createdAtMs).toISOString() },
        ...(kind === 'add' ? toBeAdded(argument as AddRequest) : { file: null, recipe: null }),
      })),
      rejected: rejectedFiles(files, home.input),
      skipped: skippedFiles(files, home.input),
      waiting: waitingFiles(files, home.input),
    };
  }

  /** Seconds that a queued job still needs, by its estimate and its checkpoints; null if nothing is known. */
  async secondsLeft(job: Job): Promise<number | null> {
    const seconds = (await this.#estimator.estimate(job))?.seconds ?? null;
    const share = job.framesTotal === null ? 0 : job.framesDone / Math.max(1, job.framesTotal);
    return seconds === null ? null : seconds * (1 - share);
  }

  /** Reads anew what estimates rest on, instead of what was read in the last seconds. */
  forgetEstimates(): void {
    this.#estimator.forget();
  }

  /** Text that differs once something else was measured on this machine. */
  async speedsMark(): Promise<string> {
    const found = await stat(this.#sources.home.speedsFile).catch(() => null);
    return found === null ? '' : `${found.ino} ${found.mtimeMs}`;
  }

  /** Reports one job with its estimate, its report and its last events. */
  async report(stored: Job): Promise<JobReport> {
    const { home, queue, isDaemonRunning, now } = this.#sources;
    const job = isDaemonRunning() ? stored : atRest(stored, queue);
    const waits = ['queued', 'paused'].includes(job.state) && job.framesDone === 0;
    const report = await readReport(home, job.id);
    return reportJob(job, home.input, now(), {
      report: report === 'torn' ? null : report,
      events: queue.events.listEvents(job.id, HISTORY_LENGTH),
      estimate: waits ? await this.#estimator.estimate(job) : null,
    });
  }
}

/**
 * The job as it is while no daemon runs: one that a killed daemon left as running is queued, and only frames with a
 * checkpoint count as done.
 */
function atRest(job: Job, queue: Queue): Job {
  if (job.state !== 'running' || job.origin === 'run') return job;
  const framesDone = queue.batches.listBatches(job.id).reduce((sum, batch) => sum + batch.frameCount, 0);
  return { ...job, state: 'queued', stage: null, framesDone, framesPerSecond: null, etaAtMs: null };
}

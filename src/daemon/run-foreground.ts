import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Home } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import { whyNotOutput } from '../config/home.ts';
import { ConfigurationError } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import { isOwnerAlive } from '../lib/process/process-identity.ts';
import { sha256File } from '../lib/sha256-file.ts';
import type { RootLogger } from '../observability/logger.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import { recogniseHome } from './recognise-home.ts';
import { StateWatch } from './state-watch.ts';
import { Supervisor } from './supervisor.ts';
import { workerCrash } from './worker-crash.ts';

const LOOK_EVERY_MS = 250;

export interface ForegroundOptions {
  readonly home: Home;
  readonly settings: LiveSettings;
  readonly log: RootLogger;
  /** Absolute. */
  readonly file: string;
  readonly recipe: Recipe;
  /** Absolute. */
  readonly outputDir: string;
  /** Aborted by Ctrl-C: the job keeps its checkpoints, and the same command resumes it. */
  readonly signal: AbortSignal;
  /** Called a few times a second with the current row of the job. */
  readonly onProgress: (job: Job) => void;
}

/**
 * Processes one file without a daemon, for `framekiln run`. It uses the same queue, worker and checkpoints as every other
 * job, so a killed run resumes when it is started again. Daemons ignore such jobs.
 *
 * @returns the job in its final state: done, failed, or queued if it was stopped
 */
export async function runForeground(options: ForegroundOptions): Promise<Job> {
  const { home, settings, log, file, signal } = options;
  const queue = openQueue(home.databaseFile);
  const state = new StateWatch();
  state.watch(home.databaseFile);
  let supervisor: Supervisor | null = null;
  try {
    await recogniseHome(home, queue, log);
    const job = await enter(queue, options);
    supervisor = new Supervisor({
      start: { homeRoot: home.root, onlyJobId: job.id, flags: settings.sources.flags ?? [] },
      log,
      onEnded: (end) => {
        if (end.crashed) log.error(`worker crashed (${end.how})`);
        const failure = end.crashed ? workerCrash(end.how, settings.now().attempts) : null;
        queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure, isToBlame: end.wasOwner });
      },
    });
    for (;;) {
      state.assertKept();
      supervisor.assertStarting();
      const now = mustExist(queue, job.id);
      options.onProgress(now);
      if ((now.state !== 'queued' && now.state !== 'running') || signal.aborted) break;
      // If the end of the worker could not be recorded, the job is requeued here.
      if (now.state === 'running' && !supervisor.isRunning)
        queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure: null });
      if (now.state === 'queued' && (now.notBeforeAtMs ?? 0) <= Date.now()) supervisor.ensureRunning(false);
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    if (signal.aborted) log.info(`${basename(file)}: stopped; run the same command again to resume`);
    if (signal.aborted) await supervisor.stop();
    else await supervisor.ended();
    return mustExist(queue, job.id);
  } finally {
    await supervisor?.stop();
    queue.close();
  }
}

async function enter(
  queue: Queue,
  { home, file, outputDir, recipe, signal }: ForegroundOptions,
): Promise<Job> {
  queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure: null });
  const outputPath = join(outputDir, basename(file));
  const fault = whyNotOutput(home, file, outputPath);
  if (fault !== null) throw new ConfigurationError(fault, [fault]);
  const { job } = queue.jobs.enqueue({
    origin: 'run',
    sourcePath: file,
    outputPath,
    fingerprint: await sha256File(file, signal),
    recipe,
    priority: 0,
    nowMs: Date.now(),
  });
  // The user named this file, so it is processed whatever the state of its earlier job.
  if (job.state === 'paused') queue.control.resumeJob(job.id);
  else if (job.state !== 'queued' && job.state !== 'running') queue.control.retryJob(job.id);
  return job;
}

function mustExist(queue: Queue, id: number): Job {
  const job = queue.jobs.getJob(id);
  if (job === null) throw new Error(`Job ${id} vanished from the database.`);
  return job;
}

import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Home } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import { whyNotOutput } from '../config/home.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { fingerprintOf } from '../domain/fingerprint.ts';
import { isMoving, type Job } from '../domain/job.ts';
import { streamedSpeech, type Recipe } from '../domain/recipe.ts';
import { withSpeech } from '../intake/speech-beside.ts';
import { isOwnerAlive } from '../lib/process/process-identity.ts';
import type { RootLogger } from '../observability/logger.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import { whyJobFolderMissing } from '../workspace/missing-folder.ts';
import { followDaemon, isDaemonForJob } from './follow-daemon.ts';
import { isDaemonRunning } from './is-daemon-running.ts';
import { recogniseHome } from './recognise-home.ts';
import { StateWatch } from './state-watch.ts';
import { Supervisor } from './supervisor.ts';
import { workerCrash } from './worker-crash.ts';

const LOOK_EVERY_MS = 250;

export interface ForegroundOptions {
  readonly home: Home;
  readonly settings: LiveSettings;
  readonly log: RootLogger;
  /** Absolute path of the source. */
  readonly file: string;
  readonly recipe: Recipe;
  /** Absolute path of the folder for the finished video. */
  readonly outputDir: string;
  /** Aborted by Ctrl-C: the job keeps its checkpoints, and the same command resumes it. */
  readonly signal: AbortSignal;
  /** Called a few times a second with the current row of the job. */
  readonly onProgress: (job: Job) => void;
  /** Tells the user that a daemon processes the job. */
  readonly tell: (sentence: string) => void;
}

export interface ForegroundEnd {
  /** The job, which is done, failed, or queued if it was stopped. */
  readonly job: Job;
  /** Whether a running daemon continues the job. */
  readonly leftWithDaemon: boolean;
  /** Why the job cannot continue before the disk of a folder is back, in one sentence; null if that did not end it. */
  readonly missingDisk: string | null;
}

/**
 * Processes one file for `framekiln run`. A daemon that runs on this home gets the job, and its progress is followed.
 * Without one, a worker of this process runs it, with the same queue and checkpoints as every other job, so a killed run
 * resumes when it is started again.
 */
export async function runForeground(options: ForegroundOptions): Promise<ForegroundEnd> {
  const { home, log, file, signal, onProgress, tell } = options;
  const queue = openQueue(home.databaseFile);
  const state = new StateWatch();
  state.watch(home.databaseFile);
  try {
    // A running daemon has recognised the home, perhaps by another path in a container.
    if (!isDaemonRunning(home.lockFile)) await recogniseHome(home, queue, log);
    const job = await enter(queue, options);
    const look = (): Job => {
      const now = mustExist(queue, job.id);
      onProgress(now);
      return now;
    };
    const use: ForegroundUse = { queue, state, job, look };
    if (!isDaemonForJob(home, queue, job)) {
      queue.control.takeBack(job.id);
      const missingDisk = await runAlone(options, use);
      return { job: look(), leftWithDaemon: false, missingDisk };
    }
    for (const sentence of describeHandOver(options, use)) tell(sentence);
    const followed = await followDaemon({ ...use, home, jobId: job.id, signal });
    if (followed === 'alone') log.warn(`${basename(file)}: the daemon ended; continuing without it`);
    const missingDisk = followed === 'alone' ? await runAlone(options, use) : null;
    return { job: look(), leftWithDaemon: followed === 'left', missingDisk };
  } finally {
    queue.close();
  }
}

interface ForegroundUse {
  readonly queue: Queue;
  readonly state: StateWatch;
  readonly job: Job;
  /** Reads the job and shows its progress. */
  readonly look: () => Job;
}

function describeHandOver({ file, settings }: ForegroundOptions, { queue, job }: ForegroundUse): string[] {
  const sentences = [
    `${basename(file)} handed over to the running daemon as job ${job.id}; after Ctrl-C, the daemon continues the job${streamedSpeech(job.recipe) === null ? '' : ' if the speech has arrived completely'}.`,
  ];
  if (queue.control.isQueuePaused()) sentences.push('The queue is paused; to resume it: framekiln resume');
  if ((settings.sources.flags ?? []).length > 0)
    sentences.push(
      'The daemon uses its own settings; of those given with --set, only the ones under recipe apply to this job.',
    );
  return sentences;
}

/**
 * Runs the job with a worker of this process until it has ended or the signal is aborted, or until it can only wait for a disk.
 *
 * @returns why it waits for a disk, or null
 */
async function runAlone(
  { home, settings, log, file, signal }: ForegroundOptions,
  { queue, state, job, look }: ForegroundUse,
): Promise<string | null> {
  let missingDisk: string | null = null;
  const supervisor = new Supervisor({
    start: { homeRoot: home.root, onlyJobId: job.id, flags: settings.sources.flags ?? [] },
    log,
    onEnded: (end) => {
      if (end.crashed) log.error(end.notice);
      const failure = end.crashed ? workerCrash(end.how, settings.now().attempts) : null;
      queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure, isToBlame: end.wasOwner });
    },
  });
  try {
    for (;;) {
      state.assertKept();
      supervisor.assertStarting();
      const now = look();
      if (!isMoving(now) || signal.aborted) break;
      // If the end of the worker could not be recorded, the job is requeued here.
      if (now.state === 'running' && !supervisor.isRunning)
        queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure: null });
      if (now.state === 'queued' && !supervisor.isRunning)
        missingDisk = await whyJobFolderMissing(home, now, queue.mountPoints);
      if (missingDisk !== null) break;
      if (queue.leases.hasClaimable(Date.now(), job.id)) supervisor.ensureRunning(false);
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    if (signal.aborted)
      log.info(
        `${basename(file)}: stopped${streamedSpeech(job.recipe) === null ? '; run the same command again to resume' : ''}`,
      );
    else await supervisor.ended();
    return missingDisk;
  } finally {
    await supervisor.stop();
  }
}

async function enter(
  queue: Queue,
  { home, file, outputDir, recipe: wanted, signal }: ForegroundOptions,
): Promise<Job> {
  queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure: null });
  const recipe = await withSpeech(wanted, file);
  const outputPath = join(outputDir, basename(file));
  const fault = whyNotOutput(home, file, outputPath);
  if (fault !== null) throw new ConfigurationError(fault, [fault]);
  const { job } = queue.jobs.enqueue({
    origin: 'run',
    sourcePath: file,
    outputPath,
    fingerprint: await fingerprintOf(file, recipe, signal),
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
  if (job === null) throw new Error(`Job ${id} is no longer in the database.`);
  return job;
}

import { existsSync } from 'node:fs';
import { basename, relative } from 'node:path';
import type { IdentifiedHome } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import {
  InputRejectedError,
  LeaseLostError,
  MaybeIncompleteError,
  StoppedError,
  toError,
  WorkerMemoryError,
} from '../domain/errors.ts';
import type { Job, Lease, JobState } from '../domain/job.ts';
import { isRejectedForContent, secondLookMs } from '../domain/second-look.ts';
import { asTransientError, asUnreachable } from '../domain/transient-errors.ts';
import { InferenceClient } from '../inference-thread/client.ts';
import type { InferenceThread } from '../inference-thread/inference-thread.ts';
import { breakSilence } from '../job/break-silence.ts';
import type { JobContext } from '../job/job-context.ts';
import { explainByMissingFolder } from '../job/missing-folders.ts';
import { explainByReadOnlyFolder } from '../job/read-only-folders.ts';
import { processBatches } from '../job/batches/process-batches.ts';
import { runJob, type DoBatches } from '../job/run-job.ts';
import { counted } from '../lib/counted.ts';
import { readFileSignature } from '../lib/file-signature.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { EncoderSemaphore } from '../media/encode/encoder-semaphore.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Claimed } from '../queue/lease-store.ts';
import type { Queue } from '../queue/queue.ts';
import { isDamage } from '../queue/salvage.ts';
import { removeCopiesOfFailedJob } from '../workspace/copies-of-failed-job.ts';
import { JobFolder } from '../workspace/job-folder.ts';
import { quarantineSource } from '../workspace/quarantine-source.ts';
import { ramDiskPlaces } from '../workspace/ram-disk-places.ts';
import { removeRamDiskOf } from '../workspace/ram-disk.ts';
import { isOnShare } from './is-on-share.ts';
import { keepLease } from './lease-keeper.ts';
import { outcomeOf } from './outcome.ts';
import { recordOutcome } from './record-outcome.ts';
import { whenWritable } from './when-writable.ts';

/** What a worker shares among its jobs. */
export interface JobEnvironment extends Pick<
  JobContext,
  | 'home'
  | 'queue'
  | 'log'
  | 'modelFolders'
  | 'traceFile'
  | 'memoryLimitBytes'
  | 'driverSilence'
  | 'commitGate'
> {
  readonly settings: Settings;
  /** Number of jobs that share the memory for frames. */
  readonly jobsAtOnce: number;
  readonly encoderSemaphore: EncoderSemaphore;
  readonly inferenceThread: Pick<InferenceThread, 'open' | 'openCount'>;
  /** Stops this job alone. */
  readonly abort: AbortController;
  /** Aborted when the worker stops. */
  readonly stopping: AbortSignal;
}

export interface JobRun {
  /** Settles when the job's pipeline is closed and its memory free; rejects when the inference thread hangs. */
  readonly closed: Promise<void>;
  /** Whether the worker process must be restarted. */
  readonly mustStop: boolean;
}

/** Runs one claimed job, keeps its lease meanwhile, and writes its outcome to the queue. */
export async function runClaimedJob({ job, lease }: Claimed, environment: JobEnvironment): Promise<JobRun> {
  const { queue, abort, stopping, inferenceThread, encoderSemaphore } = environment;
  const log = environment.log.child(basename(job.sourcePath));
  const signal = AbortSignal.any([stopping, abort.signal]);
  const inference = new InferenceClient(inferenceThread, log);
  const settings = withMemoryShare(environment.settings, environment.jobsAtOnce);
  const keeper = keepLease(queue, lease, (error) => abort.abort(error));
  let failure: unknown = null;
  const signature = await readFileSignature(job.sourcePath).catch(() => '');
  try {
    const doBatches = await batchesOf(settings);
    await breakSilence({ ...environment, settings, job, lease, log, inference, signal }, (context) =>
      runJob(context, doBatches),
    );
  } catch (error) {
    // A stop surfaces as any error of the interrupted call; the reason of the signal is the true one.
    failure = signal.aborted ? signal.reason : error;
    await settle({ ...environment, log, signature }, job, lease, failure);
  } finally {
    keeper.close();
    logSessions(log, encoderSemaphore);
  }
  if (failure instanceof WorkerMemoryError) environment.log.warn(failure.message);
  return { closed: inference.close(), mustStop: failure instanceof WorkerMemoryError };
}

/** Who processes batches. What a cluster needs is loaded only where there is one. */
async function batchesOf({ cluster }: Settings): Promise<DoBatches> {
  if (cluster.database === '') return processBatches;
  return (await import('../cluster/coordinator/process-on-cluster.ts')).processOnCluster;
}

/** Jobs that run at the same time share the memory that frames may use. */
function withMemoryShare(settings: Settings, jobs: number): Settings {
  const { workspace } = settings;
  return { ...settings, workspace: { ...workspace, memoryFraction: workspace.memoryFraction / jobs } };
}

interface SettleContext {
  readonly home: IdentifiedHome;
  readonly queue: Queue;
  readonly settings: Settings;
  readonly log: Logger;
  readonly stopping: AbortSignal;
  /** File signature of the source before it was read; empty if it was missing. */
  readonly signature: string;
}

/** Writes the outcome of a job that did not finish, then removes or keeps its files accordingly. */
async function settle(context: SettleContext, job: Job, lease: Lease, caught: unknown): Promise<void> {
  // A damaged database is no job's fault, and nothing may be written to it: the worker ends.
  if (isDamage(caught)) throw toError(caught);
  const { home, log, stopping } = context;
  const seen = await asUnreachable(asTransientError(toError(caught), job.sourcePath), () => isOnShare(job));
  const isBlamed = ['rejected', 'attempt-failed'].includes(outcomeOf(seen));
  const error = isBlamed
    ? (whyMoved(context, job) ??
      withSecondLook(context, job, await explainByFolders({ ...context, job }, seen)))
    : seen;
  try {
    const willRetry = await whenWritable(() => recordOutcome(context, job, lease, error), log, stopping);
    // The next attempt uses the frames on the RAM disk again. Null: the worker stops before the outcome is written.
    if (willRetry === false) await removeRamDiskOf(ramDiskPlaces(home), job.id);
    if (error instanceof InputRejectedError) await quarantine(context, job, error);
    await removeCopiesOfFailedJob(home, context.queue.jobs.getJob(job.id), log);
  } catch (failure) {
    if (!(failure instanceof LeaseLostError)) throw failure;
    await forget(context, job);
  }
}

async function explainByFolders(
  context: SettleContext & { readonly job: Job },
  error: Error,
): Promise<Error> {
  return explainByReadOnlyFolder(context, await explainByMissingFolder(context, error));
}

/**
 * The intake finds a source that was renamed while its job ran, and stores its new path. The job then resumes with the
 * new path, whatever error the missing source has caused. Null if the source was not renamed.
 */
function whyMoved({ home, queue, log }: SettleContext, job: Job): StoppedError | null {
  const { sourcePath } = queue.jobs.getJob(job.id) ?? job;
  if (sourcePath === job.sourcePath || existsSync(job.sourcePath)) return null;
  log.info(`the source was moved to ${relative(home.root, sourcePath)}`);
  return new StoppedError('The source was moved.');
}

/**
 * A source that is rejected for its content may be a copy in progress from another machine, with holes that no check of its
 * end finds. It gets the second look that the intake would have given it, counted from when it was queued.
 */
function withSecondLook({ settings }: SettleContext, job: Job, error: Error): Error {
  if (job.origin !== 'watch' || !isRejectedForContent(error)) return error;
  const nowMs = Date.now();
  const lookAgainAtMs = job.createdAtMs + secondLookMs(settings.intake.settleSeconds * 1000);
  // A clock that was set back must not make the job wait for the time it was set back by.
  if (nowMs < job.createdAtMs || nowMs >= lookAgainAtMs) return error;
  const name = basename(job.sourcePath);
  const why = `${error.code}: ${withoutFullStop(error.message)}`;
  return new MaybeIncompleteError(`${name} may be incomplete (${why}).`, lookAgainAtMs, { cause: error });
}

async function quarantine(
  { home, settings, log, signature }: SettleContext,
  job: Job,
  error: InputRejectedError,
): Promise<void> {
  if (job.origin !== 'watch' || settings.intake.rejected === 'keep') return;
  const sentence = await quarantineSource(home, { path: job.sourcePath, signature }, error, String(job.id));
  if (sentence !== null) log.info(sentence);
}

/** A state that a job got while a worker ran it, as the end of a sentence. */
const STATE_TEXTS: Readonly<Record<JobState, string>> = {
  queued: 'is queued',
  running: 'is running',
  paused: 'was paused',
  cancelled: 'was cancelled',
  failed: 'has failed',
  done: 'is done',
};

/** The job was paused, cancelled or taken over meanwhile. */
async function forget({ home, queue, log }: SettleContext, job: Job): Promise<void> {
  const state = queue.jobs.getJob(job.id)?.state;
  log.info(
    state === 'running'
      ? 'taken over by another worker'
      : state === 'queued'
        ? `back in the queue: ${queue.control.isQueuePaused() ? 'the queue is paused' : 'its lease was lost (after a pause, or because it expired)'}`
        : `stopped: the job ${state === undefined ? 'was deleted' : STATE_TEXTS[state]}`,
  );
  if (state === 'running') return;
  await removeRamDiskOf(ramDiskPlaces(home), job.id);
  if (state === 'cancelled') await new JobFolder(home, job.id).remove();
}

function logSessions(log: Logger, { counts }: EncoderSemaphore): void {
  const { opened, closed, failed, fallenBack } = counts;
  if (opened === 0 && fallenBack === 0) return;
  log.info(
    `NVENC sessions so far: ${opened} opened, ${closed} closed, ${failed} failed; fell back to the CPU ${counted(fallenBack, 'time')}`,
  );
}

import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectStore } from '../../cloud/object-store/object-store.ts';
import type { BatchRange } from '../../domain/frame-batch.ts';
import { reviveError } from '../../inference-thread/revive-error.ts';
import { JobProgress } from '../../job/batches/job-progress.ts';
import { processBatches } from '../../job/batches/process-batches.ts';
import type { JobContext } from '../../job/job-context.ts';
import type { PreparedJob } from '../../job/prepare/prepared-job.ts';
import { counted } from '../../lib/counted.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import { createClusterDatabase, type ClusterDatabase } from '../cluster-database.ts';
import { connect, untilReachable } from '../connect.ts';
import { openStore } from '../open-store.ts';
import type { VideoSetup } from '../protocol.ts';
import { adoptBatch } from './adopt-batch.ts';
import { uploadSource } from './upload-source.ts';
import { pinnedPlan, videoSetup } from './video-setup.ts';
import { WorkerNotices } from './worker-notices.ts';

/** How often finished batches are looked for. */
const LOOK_EVERY_MS = 250;
/** How often batches are looked for that are neither finished nor in the queue. */
const ADD_AGAIN_EVERY_MS = 5_000;

/**
 * Lets the workers of a cluster take every batch without a checkpoint through its stages, and commits what they have
 * finished. The rows of this home stay the truth: a coordinator that starts again adopts what was finished meanwhile.
 * A split screen stays on this machine, because its batches depend on each other.
 */
export async function processOnCluster(
  context: JobContext,
  folder: JobFolder,
  prepared: PreparedJob,
): Promise<void> {
  const { job, log, queue, lease, settings } = context;
  const { recipe } = job;
  if (prepared.missing.length === 0) return;
  if (recipe.pipeline !== 'upscale') {
    log.info('split screens and lip-sync are not spread over the cluster; processing on this machine');
    return processBatches(context, folder, prepared);
  }
  const plan = pinnedPlan(prepared.plan);
  const framesTotal = prepared.index.pts.length;
  if (plan !== prepared.plan) queue.progress.setPlan(lease, plan, framesTotal);
  const setup = await videoSetup(context, recipe, prepared, plan);
  const connection = await untilReachable(() => connect(settings.cluster.database, log), context);
  const database = createClusterDatabase(connection);
  try {
    const clusterId = await untilReachable(() => database.clusterId(), context);
    const store = await openStore(settings.cluster.store, clusterId, true);
    // Its row goes first: as long as it is there, a later job of this home removes what is left.
    await untilReachable(() => openVideo(context, database, store, setup), context);
    try {
      await uploadSource(context, store, setup, prepared, folder);
      await untilReachable(() => addTasks(database, setup.key, prepared.missing), context);
      log.info(`${counted(prepared.missing.length, 'batch', 'batches')} given to the cluster`);
      await adoptAll({ context, folder, database, store, setup }, prepared);
    } catch (error) {
      await takeBack(context, database, store, setup);
      throw error;
    }
    await removeVideo(database, store, setup.key).catch((error: unknown) =>
      log.debug(`the cluster still has files of this video: ${String(error)}`),
    );
  } finally {
    await connection.close();
  }
}

/** Opens a video, and removes those of jobs that were started over, cancelled or deleted while no coordinator ran. */
async function openVideo(
  { queue }: JobContext,
  database: ClusterDatabase,
  store: ObjectStore,
  setup: VideoSetup,
): Promise<void> {
  for (const { key, jobId } of await database.videosOf(setup.homeId)) {
    const state = queue.jobs.getJob(jobId)?.state ?? 'cancelled';
    const isObsolete = jobId === setup.jobId ? key !== setup.key : state === 'cancelled' || state === 'done';
    if (isObsolete) await removeVideo(database, store, key);
  }
  await database.openVideo(setup);
}

/** Adds tasks for the batches that are not finished. */
async function addTasks(
  database: ClusterDatabase,
  key: string,
  missing: readonly BatchRange[],
): Promise<void> {
  const numbers = missing.map(({ number }) => number);
  const finished = new Set((await database.finishedBatches(key, numbers)).map(({ number }) => number));
  await database.addTasks(
    key,
    missing.filter(({ number }) => !finished.has(number)),
  );
}

interface Coordination {
  readonly context: JobContext;
  readonly folder: JobFolder;
  readonly database: ClusterDatabase;
  readonly store: ObjectStore;
  readonly setup: VideoSetup;
}

/** Commits batches as they are finished, until none is missing. @throws the error of a batch that failed on every attempt */
async function adoptAll(
  { context, folder, database, store, setup }: Coordination,
  { missing, committed, plan }: PreparedJob,
): Promise<void> {
  const { queue, lease, log, signal } = context;
  queue.progress.setStage(lease, 'frames');
  const framesCommitted = committed.reduce((sum, { frameCount }) => sum + frameCount, 0);
  const progress = new JobProgress(context, setup.framesTotal, framesCommitted, plan.firstBatchFrames);
  const notices = new WorkerNotices(setup, (sentence) => log.warn(sentence));
  const wanted = new Map(missing.map((range) => [range.number, range]));
  let addAgainAtMs = performance.now() + ADD_AGAIN_EVERY_MS;
  while (wanted.size > 0) {
    signal.throwIfAborted();
    const finished = await untilReachable(
      () => database.finishedBatches(setup.key, [...wanted.keys()]),
      context,
    );
    for (const batch of finished) {
      const range = wanted.get(batch.number);
      if (range === undefined) continue;
      signal.throwIfAborted();
      if (await adoptBatch(context, folder, store, range, batch)) {
        wanted.delete(range.number);
        progress.finishBatch(range.frameCount);
        progress.store();
        log.debug(`batch ${range.number} finished by ${batch.worker}`);
      } else {
        log.warn(
          `the segment of batch ${range.number} from ${batch.worker} is damaged or missing; giving the batch out again`,
        );
        await untilReachable(async () => {
          await database.removeBatch(setup.key, range.number);
          await database.addTasks(setup.key, [range]);
        }, context);
      }
    }
    if (finished.length > 0) continue;
    await untilReachable(() => lookForTrouble(database, setup, notices), context);
    if (performance.now() >= addAgainAtMs) {
      await untilReachable(() => addLostTasks(context, database, setup, [...wanted.values()]), context);
      addAgainAtMs = performance.now() + ADD_AGAIN_EVERY_MS;
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** Adds the tasks again that the database has lost, for example because an old backup of it was restored. */
async function addLostTasks(
  { log }: JobContext,
  database: ClusterDatabase,
  setup: VideoSetup,
  wanted: readonly BatchRange[],
): Promise<void> {
  const lost = await database.batchesWithoutTask(
    setup.key,
    wanted.map(({ number }) => number),
  );
  if (lost.length === 0) return;
  log.warn(
    `${counted(lost.length, 'batch was', 'batches were')} missing from the queue of the cluster; adding them again`,
  );
  await database.openVideo(setup);
  await database.addTasks(
    setup.key,
    wanted.filter(({ number }) => lost.includes(number)),
  );
}

async function lookForTrouble(
  database: ClusterDatabase,
  { key }: VideoSetup,
  notices: WorkerNotices,
): Promise<void> {
  const failed = await database.failedBatch(key);
  if (failed !== null)
    throw reviveError(failed.code, `Batch ${failed.number} failed on every attempt: ${failed.message}`);
  await notices.look(database);
}

/** No machine works for a job that was paused or cancelled. The finished batches of a paused one stay. */
async function takeBack(
  { queue, job, log }: JobContext,
  database: ClusterDatabase,
  store: ObjectStore,
  { key }: VideoSetup,
): Promise<void> {
  const isCancelled = queue.jobs.getJob(job.id)?.state === 'cancelled';
  try {
    await (isCancelled ? removeVideo(database, store, key) : database.removeWaitingTasks(key));
  } catch (error) {
    log.debug(`the cluster still has batches of this video: ${String(error)}`);
  }
}

/** Its row goes last: as long as it is there, a later job of this home removes what is left. */
async function removeVideo(database: ClusterDatabase, store: ObjectStore, key: string): Promise<void> {
  await database.removeQueue(key);
  for await (const object of store.list(`videos/${key}/`)) await store.delete(object.key);
  await database.removeVideo(key);
}

import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isStoreFull } from '../../cloud/aws/aws-errors.ts';
import type { ObjectStore } from '../../cloud/object-store/object-store.ts';
import { codeOf, StoppedError, toError } from '../../domain/errors.ts';
import type { Logger } from '../../observability/log-entry.ts';
import type { ClusterDatabase } from '../cluster-database.ts';
import { untilReachable } from '../connect.ts';
import { segmentKey, type BatchTask } from '../protocol.ts';
import type { VideoSession } from './video-session.ts';

const TOUCH_EVERY_MS = 3_000;
/** How often a write to a full store is repeated. */
const ROOM_EVERY_MS = 2_000;

export interface TaskContext {
  readonly database: ClusterDatabase;
  readonly store: ObjectStore;
  /** Name of this worker. */
  readonly worker: string;
  readonly log: Logger;
  /** Aborted when the worker stops. */
  readonly signal: AbortSignal;
}

/** The batch was given to another worker, because this one was silent for too long. */
class TaskLostError extends Error {}

/** `lost`: the batch was given to another worker, and nothing was written. */
export type TaskEnd = 'done' | 'lost' | 'failed';

/** Makes the segment of one batch, uploads it, and completes the task together with the row of the batch. */
export async function runTask(
  context: TaskContext & { readonly onUpscale: (state: 'begins' | 'ends') => void },
  session: Pick<VideoSession, 'setup' | 'make'>,
  task: BatchTask,
): Promise<TaskEnd> {
  const { database, store, worker, log } = context;
  const { key } = session.setup;
  const { range } = task;
  const lost = new AbortController();
  const signal = AbortSignal.any([context.signal, lost.signal]);
  const heartbeat = setInterval(() => {
    // A database that does not answer says nothing about the batch: the fence of its completion does.
    database.touch(key, task).then(
      (isHeld) => isHeld || lost.abort(new TaskLostError()),
      () => undefined,
    );
  }, TOUCH_EVERY_MS);
  try {
    const { path, ...made } = await session.make(range, signal, context.onUpscale);
    const object = segmentKey(key, task);
    await untilRoom(() => store.putFile(object, path, { signal }), { log, signal });
    await rm(path);
    const batch = { ...made, number: range.number, frameCount: range.frameCount, segmentKey: object, worker };
    const isDone = await untilReachable(() => database.complete(key, task, batch), { log, signal });
    if (!isDone) {
      await store.delete(object);
      throw new TaskLostError();
    }
    log.info(`batch ${range.number} finished in ${(made.elapsedMs / 1000).toFixed(1)} s`);
    return 'done';
  } catch (error) {
    if (error instanceof TaskLostError || signal.reason instanceof TaskLostError) {
      log.warn(`batch ${range.number} was given to another worker meanwhile; its result is discarded`);
      return 'lost';
    }
    const cause = context.signal.aborted ? new StoppedError('The worker is stopping.') : toError(error);
    const failure = { code: codeOf(cause), message: `${worker}: ${cause.message}` };
    await database.fail(key, task, failure).catch(() => undefined);
    if (!context.signal.aborted) log.error(`batch ${range.number}: ${cause.message}`);
    return 'failed';
  } finally {
    clearInterval(heartbeat);
  }
}

/** Repeats a write to the store while the store is full. The batch stays with this worker meanwhile. */
async function untilRoom<Result>(
  write: () => Promise<Result>,
  { log, signal }: Pick<TaskContext, 'log' | 'signal'>,
): Promise<Result> {
  for (let failures = 0; ; failures++) {
    try {
      const result = await write();
      if (failures > 0) log.info('the cluster store has room again');
      return result;
    } catch (error) {
      if (!['ENOSPC', 'EDQUOT'].includes(codeOf(error)) && !isStoreFull(error)) throw error;
      if (failures === 0)
        log.warn(`the cluster store is full (${toError(error).message}); retrying until there is room`);
      await delay(ROOM_EVERY_MS, undefined, { signal });
    }
  }
}

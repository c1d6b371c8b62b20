import { readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toError } from '../../domain/errors.ts';
import type { Recipe } from '../../domain/recipe.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { explainRefusal, hasStatus } from '../aws/aws-errors.ts';
import { parseJobMessage, type CloudJob } from '../queue/job-message.ts';
import type { Received } from '../queue/sqs-queue.ts';
import { JobState, type StoredRow } from '../state/job-state.ts';
import type { CloudContext } from './cloud-context.ts';
import { HandOver, MessageLost, Poison } from './ends.ts';
import { JobEvents } from './events.ts';
import { LocalJob } from './local-job.ts';
import type { MessageProgress } from './message-progress.ts';
import { MessageHold } from './message-hold.ts';
import { Mirror } from './mirror.ts';
import { deliver, publishResult } from './publish.ts';
import { runLocally } from './run-locally.ts';
import { settleMessage, type MessageEnd } from './settle-message.ts';

/** Processes one message to its end. Only what makes this worker useless is thrown. */
export async function processMessage(context: CloudContext, message: Received): Promise<MessageEnd> {
  const progress: MessageProgress = { job: null, state: null, claim: null, stage: 'message', framesDone: 0 };
  let beat = 0;
  const hold = new MessageHold({
    ...{ message, queue: context.queue, times: context.times, log: context.log, nowMs: context.nowMs },
    onExtended: async () => {
      const { state, claim } = progress;
      if (state === null || claim === null) return;
      if (await state.isSuperseded(claim))
        hold.end(new MessageLost('Another worker has the job; this one stops.'));
      else await state.setAlive(claim, ++beat);
    },
  }).start();
  let failure: unknown = null;
  try {
    const end = await work(context, message, hold, progress);
    if (end !== null) return end;
  } catch (error) {
    failure = hold.signal.aborted ? hold.signal.reason : error;
  } finally {
    hold.close();
  }
  return settleMessage(context, { message, progress, hold }, failure === null ? null : toError(failure));
}

/** @returns how the message ended, if it is settled already; null if the job is done */
async function work(
  context: CloudContext,
  message: Received,
  hold: MessageHold,
  progress: MessageProgress,
): Promise<MessageEnd | null> {
  const { log, queue } = context;
  const job = parseJobMessage(message.body, { ...context.rules, queueUrl: message.queueUrl });
  progress.job = job;
  const recipe = recipeOf(context, job);
  const events = new JobEvents(queue, job, log);
  const fallback =
    job.device === 'gpu' && context.gpu === null
      ? 'The message asks for a GPU, and this machine has none that models run on; the job runs on the CPU.'
      : null;
  if (fallback !== null) log.warn(`${job.jobId}: ${fallback}`);
  const local = await LocalJob.open(context.home, job.input.key, log);
  const stopDownload = (): void => hold.end(toError(context.stopping.reason));
  context.stopping.addEventListener('abort', stopDownload);
  try {
    if (context.stopping.aborted) stopDownload();
    progress.stage = 'download';
    await download(context, job, local, hold);
    const fingerprint = await sha256File(local.sourcePath, hold.signal);
    const store = context.bucket(context.rules.bucket);
    const state = JobState.of(store, job, { fingerprint, recipe });
    progress.state = state;
    const earlier = await state.result();
    if (earlier !== null) {
      if (!(await state.isDelivered())) await deliver(context, { job, state, events }, earlier);
      return null;
    }
    const claim = await claimJob(context, message, state, hold);
    if (claim === null) return 'put-back';
    progress.claim = claim;
    await state.setAlive(claim, 0);

    local.enter(fingerprint, recipe);
    progress.stage = 'restore';
    const rows = await restore(context, state, local, hold);
    const framesDone = rows.reduce((sum, { frameCount }) => sum + frameCount, 0);
    const { framesTotal } = local.now();
    if (framesTotal !== null) {
      events.startAt(framesDone, framesTotal);
      log.info(`${job.jobId}: ${framesDone} of ${framesTotal} frames come from the bucket (claim ${claim})`);
    }
    const lost = new AbortController();
    const mirror = new Mirror(
      {
        ...{ store, state, local, claim, log, signal: lost.signal },
        secondsHeld: () => hold.heldMs / 1000,
        onLost: (error) => hold.end(error),
        onMoved: () => hold.moved(),
      },
      new Set(rows.map(({ number }) => number)),
    );
    hold.signal.addEventListener('abort', () => {
      if (hold.signal.reason instanceof MessageLost) lost.abort(hold.signal.reason);
    });
    context.stopping.removeEventListener('abort', stopDownload);
    const ended = await runLocally(context, { local, mirror, hold, events, outputKey: job.output.key });
    ({ framesDone: progress.framesDone } = ended);
    progress.stage = ended.stage ?? 'frames';
    await flushInTime(mirror);
    hold.signal.throwIfAborted();
    if (ended.state === 'failed')
      throw new Poison(ended.errorCode ?? 'INTERNAL', ended.errorMessage ?? 'The job failed.');
    if (ended.state !== 'done') throw new HandOver(`The job is ${ended.state} on this machine.`);
    progress.stage = 'publish';
    const secondsHeld = hold.heldMs / 1000;
    const request = { job, state, local, claim, secondsHeld, fallback, signal: hold.signal };
    const result = await publishResult(context, request);
    const isOurs = result.worker === context.worker && result.claim === claim;
    // The winner delivers. This message stays until that has happened, in case the winner is killed before.
    if (!isOurs && !(await state.isDelivered())) return await putBack(context, message, hold);
    if (isOurs) await deliver(context, { job, state, events }, result);
    return null;
  } finally {
    context.stopping.removeEventListener('abort', stopDownload);
    await local.remove();
  }
}

function recipeOf({ settings }: CloudContext, { device, scale }: CloudJob): Recipe {
  const { recipe } = settings.now();
  const model = recipe.pipeline === 'upscale' ? recipe.model : 'realesr-general-x4v3';
  const tile = recipe.pipeline === 'upscale' ? recipe.tile : 'auto';
  return { pipeline: 'upscale', model, scale, device, tile };
}

/** Downloads the video as it is now. @throws Poison INPUT_MISSING or INPUT_NOT_READABLE */
async function download(
  context: CloudContext,
  { input }: CloudJob,
  local: LocalJob,
  hold: MessageHold,
): Promise<void> {
  const store = context.bucket(input.bucket);
  let bytes = 0;
  const watch = setInterval(() => {
    const folder = dirname(local.sourcePath);
    const now = readdirSync(folder).reduce((sum, name) => sum + sizeOf(join(folder, name)), 0);
    if (now !== bytes) hold.moved();
    bytes = now;
  }, 1000);
  try {
    const head = await store.head(input.key);
    if (head === undefined)
      throw new Poison('INPUT_MISSING', `There is no object ${input.key} in the bucket ${input.bucket}.`);
    await store.getFile(input.key, local.sourcePath, { ifMatch: head.etag, signal: hold.signal });
  } catch (error) {
    if (!hasStatus(error, 403)) throw error;
    // If checkpoints can be read, the credentials are valid, and this job alone is at fault.
    await context.bucket(context.rules.bucket).get('state/access');
    const why = explainRefusal(error) ?? '';
    throw new Poison(
      'INPUT_NOT_READABLE',
      `${input.key} in the bucket ${input.bucket} cannot be read: ${why}`,
    );
  } finally {
    clearInterval(watch);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Claims the job. The message of a worker that lost it comes back with the same ID; a copy of it, or one that was sent twice, has
 * another one, and its job may be at work: then the alive sign changes.
 *
 * @returns null if the message was put back
 */
async function claimJob(
  context: CloudContext,
  message: Received,
  state: JobState,
  hold: MessageHold,
): Promise<number | null> {
  const last = await state.lastClaim();
  if (last !== null && !last.isReleased && last.messageId !== message.id) {
    const before = await state.aliveTag();
    await delay(context.times.extendEveryMs * 2, undefined, { signal: hold.signal });
    hold.moved();
    if ((await state.aliveTag()) !== before) {
      context.log.info('another machine is processing the job of this message; message put back');
      await putBack(context, message, hold);
      return null;
    }
  }
  const claim = await state.claim(last?.claim ?? 0, context.worker, message.id);
  if (claim === null) await putBack(context, message, hold);
  return claim;
}

async function putBack(context: CloudContext, message: Received, hold: MessageHold): Promise<'put-back'> {
  hold.close();
  await context.queue.setVisibility(message, Math.ceil(context.times.extendEveryMs / 1000));
  return 'put-back';
}

/** Fetches what other workers have done. @returns the checkpoints that hold */
async function restore(
  context: CloudContext,
  state: JobState,
  local: LocalJob,
  hold: MessageHold,
): Promise<StoredRow[]> {
  const plan = await state.plan();
  if (plan === null) return [];
  const store = context.bucket(context.rules.bucket);
  await local.folder.create();
  await store.getFile(state.key('frames.index'), local.folder.indexFile, { signal: hold.signal });
  const intact: StoredRow[] = [];
  for (const row of await state.rows()) {
    hold.signal.throwIfAborted();
    const path = local.folder.segmentPath(row.segmentName);
    const isThere = (await store.head(row.segmentKey)) !== undefined;
    if (isThere) await store.getFile(row.segmentKey, path, { signal: hold.signal });
    if (isThere && (await sha256File(path, hold.signal)) === row.segmentSha256) intact.push(row);
    else {
      context.log.warn(
        `the segment of batch ${row.number} in the bucket is missing or damaged; processing it again`,
      );
      await rm(path, { force: true });
      await state.removeRow(row.number);
    }
    hold.moved();
  }
  local.restore({ ...plan, rows: intact });
  return intact;
}

/** A machine that goes away has two minutes. */
const FLUSH_MS = 30_000;

async function flushInTime(mirror: Mirror): Promise<void> {
  const limit = new AbortController();
  await Promise.race([
    mirror.flush(),
    delay(FLUSH_MS, undefined, { signal: limit.signal }).catch(() => undefined),
  ]);
  limit.abort();
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Job } from '../../domain/job.ts';
import type { JobState, StoredRow } from '../state/job-state.ts';
import type { CloudContext } from './cloud-context.ts';
import { CannotGoOn, HandOver, MessageLost, Poison } from './ends.ts';
import type { JobEvents } from './events.ts';
import type { LocalJob } from './local-job.ts';
import type { MessageHold } from './message-hold.ts';
import type { MessageProgress } from './message-progress.ts';
import { Mirror } from './mirror.ts';
import { isWaiting, runLocally } from './run-locally.ts';

/** A machine that goes away has two minutes. */
const FLUSH_MS = 30_000;

export interface FramesRequest {
  readonly jobId: string;
  readonly outputKey: string;
  readonly state: JobState;
  readonly claim: number;
  readonly local: LocalJob;
  readonly hold: MessageHold;
  readonly events: JobEvents;
  readonly progress: MessageProgress;
  /** Checkpoints that were restored. */
  readonly rows: readonly StoredRow[];
}

/** Runs the job on this machine and copies its checkpoints to the store, until its output is verified. */
export async function processFrames(context: CloudContext, request: FramesRequest): Promise<void> {
  const { jobId, outputKey, state, claim, local, hold, events, progress, rows } = request;
  const { log } = context;
  const framesDone = rows.reduce((sum, { frameCount }) => sum + frameCount, 0);
  const { framesTotal } = local.now();
  if (framesTotal !== null) {
    events.startAt(framesDone, framesTotal);
    log.info(`${jobId}: ${framesDone} of ${framesTotal} frames come from the bucket (claim ${claim})`);
  }
  const mirror = new Mirror(
    {
      ...{ store: context.bucket(context.rules.bucket), state, local, claim, log },
      secondsHeld: () => hold.heldMs / 1000,
      onLost: (error) => hold.end(error),
      onCopied: () => {
        progress.hasMoved = true;
        hold.moved();
      },
      onMoved: () => hold.moved(),
      onFailed: (why) => hold.failed(why),
    },
    new Set(rows.map(({ number }) => number)),
  );
  hold.signal.addEventListener('abort', () => {
    if (hold.signal.reason instanceof MessageLost) void mirror.close();
  });
  try {
    const ended = await runLocally(context, { local, mirror, hold, events, outputKey });
    progress.framesDone = ended.framesDone;
    progress.stage = ended.stage ?? 'frames';
    await flushInTime(mirror);
    hold.signal.throwIfAborted();
    assertDone(ended);
  } finally {
    // Nothing is written after the job has been released.
    await mirror.close();
  }
}

function assertDone(ended: Job): void {
  if (ended.state === 'failed')
    throw new Poison(ended.errorCode ?? 'INTERNAL', ended.errorMessage ?? 'The job failed.');
  if (isWaiting(ended)) throw new CannotGoOn(`The job is ${ended.note}`);
  if (ended.state !== 'done') throw new HandOver(`The job is ${ended.state} on this machine.`);
}

async function flushInTime(mirror: Mirror): Promise<void> {
  const limit = new AbortController();
  await Promise.race([
    mirror.flush(),
    delay(FLUSH_MS, undefined, { signal: limit.signal }).catch(() => undefined),
  ]);
  limit.abort();
}

import { setTimeout as delay } from 'node:timers/promises';
import { extname } from 'node:path';
import { Supervisor } from '../../daemon/supervisor.ts';
import { workerCrash } from '../../daemon/worker-crash.ts';
import { isMoving, type Job } from '../../domain/job.ts';
import { toError } from '../../domain/errors.ts';
import { isOwnerAlive } from '../../lib/process/process-identity.ts';
import type { CloudContext } from './cloud-context.ts';
import type { JobEvents } from './events.ts';
import type { LocalJob } from './local-job.ts';
import type { MessageHold } from './message-hold.ts';
import { MAX_BEHIND, type Mirror } from './mirror.ts';

const LOOK_EVERY_MS = 200;

/** When this machine goes away, a batch that ends within this time is waited for. */
const LAST_BATCH_MS = 60_000;

export interface LocalRun {
  readonly local: LocalJob;
  readonly mirror: Mirror;
  readonly hold: MessageHold;
  readonly events: JobEvents;
  /** Key of the output, whose extension chooses the container. */
  readonly outputKey: string;
}

/**
 * Runs the job with a worker process of this machine, while its checkpoints are copied to the store, until it has ended, waits
 * for something that this machine lacks, or `hold.signal` is aborted. @returns the job as it then is
 */
export async function runLocally(context: CloudContext, run: LocalRun): Promise<Job> {
  const { local, mirror, hold, events } = run;
  const { queue } = local;
  const flags = [
    ...(context.settings.sources.flags ?? []),
    // The segments are copied even if the job is done before that.
    'workspace.keepJobFolders=true',
    ...containerFlags(run.outputKey),
  ];
  const sweep = { isOwnerAlive, failure: null };
  const supervisor = new Supervisor({
    start: { homeRoot: local.home.root, onlyJobId: local.id, flags },
    log: context.log,
    onEnded: (end) => {
      if (end.crashed) context.log.error(end.notice);
      const failure = end.crashed ? workerCrash(end.how, context.settings.now().attempts) : null;
      queue.sweepLeases({ ...sweep, nowMs: Date.now(), failure, isToBlame: end.wasOwner });
    },
  });
  const stop = whenToStop(context, run);
  let before = '';
  try {
    for (;;) {
      supervisor.assertStarting();
      const now = local.now();
      mirror.look();
      supervisor.setCommitLimit(mirror.count + MAX_BEHIND);
      const seen = [now.stage, now.framesDone, mirror.count].join(' ');
      // Other stages have watchdogs of their own and count no frames.
      if (seen !== before || (now.stage !== 'frames' && supervisor.isRunning)) hold.moved();
      before = seen;
      events.progress(now.framesDone, now.framesTotal);
      if (!isMoving(now) || isWaiting(now) || hold.signal.aborted) break;
      stop.look(now);
      if (now.state === 'running' && !supervisor.isRunning)
        queue.sweepLeases({ ...sweep, nowMs: Date.now() });
      if (queue.leases.hasClaimable(Date.now(), local.id)) supervisor.ensureRunning(false);
      await delay(LOOK_EVERY_MS, undefined, { signal: hold.signal }).catch(() => undefined);
    }
    const last = local.now();
    if (!isMoving(last) && !hold.signal.aborted) await supervisor.ended();
    return local.now();
  } finally {
    await supervisor.stop();
  }
}

/** Whether the job waits for something that this machine lacks for now. Another machine may have it. */
export function isWaiting({ state, notBeforeAtMs, note, errorCode }: Job): boolean {
  return state === 'queued' && notBeforeAtMs !== null && note !== null && errorCode === null;
}

/** Ends the run once this machine goes away: after the next checkpoint, or after a minute. */
function whenToStop({ stopping, nowMs }: CloudContext, { hold, local }: LocalRun) {
  let since: { atMs: number; batches: number } | null = null;
  const count = (): number => local.queue.batches.listBatches(local.id).length;
  return {
    look({ stage }: Job): void {
      if (!stopping.aborted) return;
      since ??= { atMs: nowMs(), batches: count() };
      const isWaiting =
        stage === 'frames' && count() === since.batches && nowMs() - since.atMs < LAST_BATCH_MS;
      if (!isWaiting) hold.end(toError(stopping.reason));
    },
  };
}

/** The container that the extension of the wished key stands for. */
function containerFlags(key: string): string[] {
  const container = { '.mp4': 'mp4', '.mkv': 'mkv', '.webm': 'webm' }[extname(key).toLowerCase()];
  return container === undefined ? [] : [`output.container=${container}`];
}

import { OURS, SILENT } from '../domain/nvenc-reason.ts';
import type { EncoderPermit } from '../media/encode/encoder-semaphore.ts';
import type { JobContext } from './job-context.ts';

/**
 * The right to open an NVENC session, waited for by the job's priority.
 *
 * @returns null when software is to do it, because none came free in time
 */
export async function takePermit(
  { job, settings, encoderSemaphore, log }: JobContext,
  signal: AbortSignal,
): Promise<EncoderPermit | null> {
  const { softwareFallback, waitSeconds, sessions } = settings.encoder;
  const waitMs = softwareFallback ? waitSeconds * 1000 : null;
  const permit = await encoderSemaphore.take({ priority: job.priority, waitMs, signal });
  if (permit === null) {
    encoderSemaphore.fellBack();
    log.info(`none of ${sessions} NVENC sessions came free in ${waitSeconds} s; software encodes this batch`);
  }
  return permit;
}

/** Runs a trial that opens a session of its own. @returns why NVENC does not work, null when it does */
export async function tryWithPermit(
  context: JobContext,
  trial: () => Promise<string | null>,
): Promise<string | null> {
  if (context.driverSilence.isNow) return SILENT;
  const permit = await takePermit(context, context.signal);
  if (permit === null) return OURS;
  let outcome: 'done' | 'failed' = 'failed';
  try {
    // Asked with the permit in hand: another job's trial may have found it out while this one waited.
    const whyNot = await context.driverSilence.whyNot(trial);
    if (whyNot === null) outcome = 'done';
    return whyNot;
  } finally {
    permit.close(outcome);
  }
}

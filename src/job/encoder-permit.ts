import { hardwareReason, type HardwareReason } from '../domain/hardware-reason.ts';
import type { EncoderPermit } from '../media/encode/encoder-semaphore.ts';
import type { JobContext } from './job-context.ts';

/** Waits for the right to open an NVENC session; jobs of a higher priority go first. @returns null if none came free in time */
function acquire(
  { job, settings, encoderSemaphore }: JobContext,
  signal: AbortSignal,
): Promise<EncoderPermit | null> {
  const { softwareFallback, waitSeconds } = settings.encoder;
  const waitMs = softwareFallback ? waitSeconds * 1000 : null;
  return encoderSemaphore.acquire({ priority: job.priority, waitMs, signal });
}

/** Waits for the right to encode a batch with NVENC. @returns null when software encodes it instead, which is logged */
export async function acquirePermit(context: JobContext, signal: AbortSignal): Promise<EncoderPermit | null> {
  const { settings, encoderSemaphore, log } = context;
  const permit = await acquire(context, signal);
  if (permit === null) {
    const { waitSeconds, sessions } = settings.encoder;
    encoderSemaphore.fellBack();
    log.info(
      `no NVENC session became free within ${waitSeconds} s (encoder.sessions: ${sessions}); encoding this batch on the CPU`,
    );
  }
  return permit;
}

/** Runs a trial encode, which opens an NVENC session. @returns why NVENC does not work; null when it does */
export async function tryWithPermit(
  context: JobContext,
  trial: () => Promise<HardwareReason | null>,
): Promise<HardwareReason | null> {
  if (context.driverSilence.isNow) return hardwareReason('driver-silent');
  const permit = await acquire(context, context.signal);
  if (permit === null) return hardwareReason('permits-taken');
  let outcome: 'done' | 'failed' = 'failed';
  try {
    // Only now: another job's trial may have found out that the driver hangs while this one waited for its permit.
    const whyNot = await context.driverSilence.whyNot(trial);
    if (whyNot === null) outcome = 'done';
    return whyNot;
  } finally {
    permit.close(outcome);
  }
}

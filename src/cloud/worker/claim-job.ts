import { setTimeout as delay } from 'node:timers/promises';
import type { Received } from '../queue/sqs-queue.ts';
import type { JobState } from '../state/job-state.ts';
import type { CloudContext } from './cloud-context.ts';
import { superseded } from './ends.ts';
import type { MessageHold } from './message-hold.ts';

/**
 * Claims the job. The message of a worker that lost it comes back with the same ID; a copy of it, or one that was sent twice, has
 * another one. Then a worker may be busy with the job: its alive sign changes. Its own message stays in the queue until the job
 * has ended, so the copy can be deleted.
 *
 * @returns number of the claim; how the message ended if another worker has the job
 */
export async function claimJob(
  context: CloudContext,
  message: Received,
  state: JobState,
  hold: MessageHold,
): Promise<number | 'copy' | 'put-back'> {
  const { queue, times, log, worker, pricePerHour } = context;
  const last = await state.lastClaim();
  const isCopy = last !== null && last.messageId !== message.id;
  if (isCopy && !last.isReleased) {
    const before = await state.aliveTag();
    await delay(times.extendEveryMs * 2, undefined, { signal: hold.signal });
    hold.moved();
    if ((await state.aliveTag()) !== before) {
      log.info('another machine is processing the job of this message; the copy is deleted');
      hold.close();
      await queue.delete(message);
      return 'copy';
    }
  }
  const claim = await state.claim(last?.claim ?? 0, { worker, messageId: message.id, pricePerHour });
  if (claim !== null) return claim;
  // Another worker was faster. If it has the same message, this one no longer holds it.
  if ((await state.lastClaim())?.messageId === message.id) throw superseded();
  hold.close();
  await queue.setVisibility(message, Math.ceil(times.extendEveryMs / 1000));
  return 'put-back';
}

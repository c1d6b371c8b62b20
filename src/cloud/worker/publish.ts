import { stat } from 'node:fs/promises';
import { sha256File } from '../../lib/sha256-file.ts';
import { probeMedia } from '../../media/probe/probe-media.ts';
import { readReport } from '../../reports/media-report.ts';
import type { CloudJob } from '../queue/job-message.ts';
import type { JobState, StoredResult } from '../state/job-state.ts';
import type { CloudContext } from './cloud-context.ts';
import { costOf, type HeldBy } from './cost.ts';
import { superseded } from './ends.ts';
import type { LocalJob } from './local-job.ts';
import type { MessageHold } from './message-hold.ts';

export interface PublishRequest {
  readonly job: CloudJob;
  readonly state: JobState;
  readonly local: LocalJob;
  readonly claim: number;
  readonly fallback: string | null;
  readonly hold: MessageHold;
}

/**
 * Uploads the output under a key of this claim and stores the result on the condition that there is none: of several workers,
 * one wins. @returns the result that counts
 */
export async function publishResult(context: CloudContext, request: PublishRequest): Promise<StoredResult> {
  const { job, state, local, claim, hold } = request;
  const { signal } = hold;
  const path = local.now().outputPath;
  const sha256 = await sha256File(path, signal);
  const outputKey = state.key(`output/${sha256}.${claim}`);
  const store = context.bucket(context.rules.bucket);
  await store.putFile(outputKey, path, hold.transfer);
  const report = await readReport(local.home, local.id);
  const media = await probeMedia(local.sourcePath, context.settings.now().limits, signal);
  const result: StoredResult = {
    ...{ worker: context.worker, claim, outputKey, sha256, bytes: (await stat(path)).size },
    output: job.output,
    frames: local.now().framesTotal,
    device: job.device === 'gpu' && context.gpu !== null ? 'gpu' : 'cpu',
    ...(request.fallback === null ? {} : { deviceNote: request.fallback }),
    remarks: report === null || report === 'torn' ? [] : report.remarks,
    ...costOf(await heldBy(state, claim, hold.heldMs / 1000), media.durationSeconds ?? 0),
  };
  if (await state.isSuperseded(claim)) throw superseded();
  if (await state.setResult(result)) return result;
  const winner = await state.result();
  if (winner === null) throw new Error('The result of another worker cannot be read.');
  return winner;
}

/** For how long each claim held the job, as far as known, and at which price. */
async function heldBy(state: JobState, claim: number, own: number): Promise<HeldBy[]> {
  const seconds = await state.releasedSeconds();
  for (const row of await state.rows())
    seconds.set(row.claim, Math.max(seconds.get(row.claim) ?? 0, row.secondsHeld));
  seconds.set(claim, own);
  const prices = await state.prices();
  return [...seconds].map(([number, secondsHeld]) => ({
    secondsHeld,
    pricePerHour: prices.get(number) ?? null,
  }));
}

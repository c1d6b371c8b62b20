import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failPoint } from '../../lib/fail-point.ts';
import { FfmpegError, VerificationError } from '../../domain/errors.ts';
import type { BatchRange } from '../../domain/frame-batch.ts';
import { nvencReason, type EncoderChooser } from '../../media/encode/choose-encoder.ts';
import { encodeSegment, verifySegment, type SegmentJob } from '../../media/encode/encode-segment.ts';
import {
  codecOf,
  isNvenc,
  SOFTWARE_ENCODER,
  type EncoderName,
  type EncoderSettings,
} from '../../media/encode/encoder-arguments.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import { takePermit } from '../encoder-permit.ts';
import type { JobContext } from '../job-context.ts';

export interface BatchToCommit {
  readonly batch: BatchRange;
  /** All but the segment's path. */
  readonly segment: Omit<SegmentJob, 'segmentPath'>;
  readonly pipelineState: Uint8Array | null;
  /** When work on the batch began, by `performance.now`. */
  readonly startedAtMs: number;
}

/**
 * The last step of a batch: encode its frames, decode and count the segment, make it durable, write the row. The
 * order is the promise: a row means that the segment is on the disk and right (R5, R16).
 *
 * When NVENC fails the same frames are encoded in software; they are never inferred again (A6).
 */
export async function commitBatch(
  context: JobContext,
  folder: JobFolder,
  chooser: EncoderChooser,
  settings: EncoderSettings,
  { batch, segment, pipelineState, startedAtMs }: BatchToCommit,
  signal: AbortSignal,
): Promise<void> {
  const { queue, lease } = context;
  // The token makes the name this worker's own: one that lost its lease cannot overwrite another's segment (R10).
  const segmentName = `b${String(batch.number).padStart(4, '0')}.${lease.token}.mp4`;
  const segmentPath = join(folder.segments, `${segmentName}.tmp`);
  const encoder = await encodeChecked(context, { ...segment, segmentPath }, chooser, settings, signal);
  signal.throwIfAborted();
  const { bytes, sha256 } = await folder.publishSegment(segmentPath, segmentName);
  queue.batches.commitBatch(
    lease,
    {
      ...batch,
      segmentName,
      segmentBytes: bytes,
      segmentSha256: sha256,
      encoder,
      pipelineState,
      elapsedMs: performance.now() - startedAtMs,
    },
    Date.now(),
  );
}

async function encodeChecked(
  context: JobContext,
  job: SegmentJob,
  chooser: EncoderChooser,
  settings: EncoderSettings,
  signal: AbortSignal,
): Promise<EncoderName> {
  const requested = await chooser.next();
  const permit = isNvenc(requested) ? await takePermit(context, signal) : null;
  const encoder = permit === null ? SOFTWARE_ENCODER[codecOf(requested)] : requested;
  try {
    failPoint('segment.before-encoding');
    await encodeSegment(job, encoder, settings, signal);
    permit?.close('done');
    failPoint('segment.closed');
    await verifySegment(job, signal);
    failPoint('segment.verified');
    return encoder;
  } catch (error) {
    permit?.close('failed');
    await rm(job.segmentPath, { force: true });
    const reason = isNvenc(encoder) ? whyEncoderFailed(error) : null;
    if (reason === null) throw error;
    chooser.nvencFailed(reason);
    context.encoderSemaphore.fellBack();
    return await encodeChecked(context, job, chooser, settings, signal);
  }
}

/** Null for what is not the encoder's fault: a stop, a full disk. */
function whyEncoderFailed(error: unknown): string | null {
  if (error instanceof FfmpegError) return nvencReason(error);
  return error instanceof VerificationError ? error.message : null;
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchRange } from '../../domain/frame-batch.ts';
import { FfmpegError, VerificationError } from '../../domain/errors.ts';
import { failPoint } from '../../lib/fail-point.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import type { EncoderChooser } from '../../media/encode/encoder-chooser.ts';
import { nvencReason } from '../../media/encode/try-nvenc.ts';
import type { HardwareReason } from '../../domain/hardware-reason.ts';
import { encodeSegment, verifySegment, type SegmentJob } from '../../media/encode/encode-segment.ts';
import {
  codecOf,
  isNvenc,
  SOFTWARE_ENCODER,
  type EncoderName,
  type EncoderSettings,
} from '../../media/encode/encoder-arguments.ts';
import type { FrameFiles } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import { acquirePermit } from '../encoder-permit.ts';
import type { JobContext } from '../job-context.ts';
import { assertWorkerMemory } from './assert-worker-memory.ts';
import type { TransformedBatch } from './batch-record.ts';
import type { JobProgress } from './job-progress.ts';

export interface CommitStageOptions {
  readonly context: JobContext;
  readonly folder: JobFolder;
  readonly files: FrameFiles;
  readonly progress: JobProgress;
  readonly chooser: EncoderChooser;
  readonly encoder: EncoderSettings;
  /** Everything about a segment that is the same for all segments of the job. */
  readonly segment: Omit<SegmentJob, 'framesPath' | 'segmentPath' | 'firstFrame' | 'frameCount'>;
}

/**
 * The last stage of a batch: encodes its frames, decodes and counts the segment, makes it durable, writes the row. In
 * this order a row proves that its segment is correct and on the disk.
 *
 * When NVENC fails, the same frames are encoded in software; they are never inferred again.
 */
export class CommitStage {
  readonly #options: CommitStageOptions;

  constructor(options: CommitStageOptions) {
    this.#options = options;
  }

  async run(
    { range, outputPath, framesReused, startedAtMs }: TransformedBatch,
    signal: AbortSignal,
  ): Promise<void> {
    const { context, folder, files, progress } = this.#options;
    const { queue, lease } = context;
    // The lease token makes the name unique: a worker that lost its lease cannot overwrite another worker's segment.
    const segmentName = `b${String(range.number).padStart(4, '0')}.${lease.token}.mp4`;
    const segmentPath = join(folder.segments, `${segmentName}.tmp`);
    const { firstFrame, frameCount } = range;
    const segment = { ...this.#options.segment, framesPath: outputPath, segmentPath, firstFrame, frameCount };
    const encoder = await this.#encode(segment, signal);
    signal.throwIfAborted();
    const { bytes, sha256 } = await folder.publishSegment(segmentPath, segmentName);
    queue.batches.commitBatch(
      lease,
      {
        ...range,
        segmentName,
        segmentBytes: bytes,
        segmentSha256: sha256,
        encoder,
        framesReused,
        elapsedMs: performance.now() - startedAtMs,
        analysisMs: this.#analysisMs(range),
      },
      Date.now(),
    );
    progress.store();
    await files.drop(range, 'out');
    assertWorkerMemory(context.memoryLimitBytes);
  }

  /** Time of the first pass over the batch, for the estimates of later jobs. */
  #analysisMs({ number }: BatchRange): number | null {
    const { queue, job } = this.#options.context;
    return queue.analyses.getDirection(job.id, number)?.elapsedMs ?? null;
  }

  /** Encodes and verifies the segment. @returns the encoder whose segment passed verification */
  async #encode(segment: SegmentJob, signal: AbortSignal): Promise<EncoderName> {
    const { context, chooser, encoder: settings } = this.#options;
    const preferred = await chooser.next();
    const permit = isNvenc(preferred) ? await acquirePermit(context, signal) : null;
    const encoder = permit === null ? SOFTWARE_ENCODER[codecOf(preferred)] : preferred;
    try {
      failPoint('segment.before-encoding');
      await encodeSegment(segment, encoder, settings, signal);
      permit?.close('done');
      failPoint('segment.closed');
      await verifySegment(segment, signal);
      failPoint('segment.verified');
      return encoder;
    } catch (error) {
      permit?.close('failed');
      await rm(segment.segmentPath, { force: true });
      const reason = isNvenc(encoder) ? encoderFailure(error) : null;
      if (reason === null) throw error;
      chooser.nvencFailed(reason);
      context.encoderSemaphore.fellBack();
      return this.#encode(segment, signal);
    }
  }
}

/** Why the encoder failed; null for an error that is not the encoder's fault, such as a stop or a full disk. */
function encoderFailure(error: unknown): HardwareReason | null {
  if (error instanceof FfmpegError) return nvencReason(error);
  if (error instanceof VerificationError)
    return { code: 'invalid-segment', text: withoutFullStop(error.message) };
  return null;
}

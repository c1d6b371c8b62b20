import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FfmpegError, VerificationError } from '../../domain/errors.ts';
import type { HardwareReason } from '../../domain/hardware-reason.ts';
import { failPoint } from '../../lib/fail-point.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import type { EncoderChooser } from '../../media/encode/encoder-chooser.ts';
import {
  codecOf,
  isNvenc,
  SOFTWARE_ENCODER,
  type EncoderName,
  type EncoderSettings,
} from '../../media/encode/encoder-arguments.ts';
import { encodeSegment, type SegmentJob } from '../../media/encode/encode-segment.ts';
import { nvencReason } from '../../media/encode/try-nvenc.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import { acquirePermit } from '../encoder-permit.ts';
import type { JobContext } from '../job-context.ts';
import type { EncodedBatch, TransformedBatch } from './batch-record.ts';

export interface EncodeStageOptions {
  readonly context: JobContext;
  readonly folder: JobFolder;
  readonly chooser: EncoderChooser;
  readonly encoder: EncoderSettings;
  /** Everything about a segment that is the same for all segments of the job. */
  readonly segment: Omit<SegmentJob, 'framesPath' | 'segmentPath' | 'firstFrame' | 'frameCount'>;
}

/**
 * The third stage of a batch: encodes its frames into a segment. When NVENC fails, the same frames are encoded in software;
 * they are never inferred again.
 */
export class EncodeStage {
  readonly #options: EncodeStageOptions;

  constructor(options: EncodeStageOptions) {
    this.#options = options;
  }

  async run(batch: TransformedBatch, signal: AbortSignal): Promise<EncodedBatch> {
    const { context, folder, segment: common } = this.#options;
    const { firstFrame, frameCount, number } = batch.range;
    // The lease token makes the name unique: a worker that lost its lease cannot overwrite another worker's segment.
    const segmentName = `b${String(number).padStart(4, '0')}.${context.lease.token}.mp4`;
    const segmentPath = join(folder.segments, `${segmentName}.tmp`);
    const segment = { ...common, framesPath: batch.outputPath, segmentPath, firstFrame, frameCount };
    const encoder = await this.#encode(segment, signal);
    return { ...batch, segmentName, segment, encoder };
  }

  /**
   * Encodes a batch in software whose segment from NVENC turned out to be damaged.
   *
   * @throws the error itself if it is not NVENC's fault; the segment is removed in any case
   */
  async replace(batch: EncodedBatch, error: unknown, signal: AbortSignal): Promise<EncodedBatch> {
    await this.#giveUp(batch.segment, batch.encoder, error);
    return { ...batch, encoder: await this.#encode(batch.segment, signal) };
  }

  /** @returns the encoder that was used */
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
      return encoder;
    } catch (error) {
      permit?.close('failed');
      await this.#giveUp(segment, encoder, error);
      return this.#encode(segment, signal);
    }
  }

  /** Removes a segment that failed. @throws the error, unless software can take over from NVENC */
  async #giveUp({ segmentPath }: SegmentJob, encoder: EncoderName, error: unknown): Promise<void> {
    await rm(segmentPath, { force: true });
    const reason = isNvenc(encoder) ? encoderFailure(error) : null;
    if (reason === null) throw error;
    const { chooser, context } = this.#options;
    chooser.nvencFailed(reason);
    context.encoderSemaphore.fellBack();
  }
}

/** Why the encoder failed; null for an error that is not the encoder's fault, such as a stop or a full disk. */
function encoderFailure(error: unknown): HardwareReason | null {
  if (error instanceof FfmpegError) return nvencReason(error);
  if (error instanceof VerificationError)
    return { code: 'invalid-segment', text: withoutFullStop(error.message) };
  return null;
}

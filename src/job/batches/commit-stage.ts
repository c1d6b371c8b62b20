import { failPoint } from '../../lib/fail-point.ts';
import { verifySegment } from '../../media/encode/encode-segment.ts';
import type { FrameFiles } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { assertWorkerMemory } from './assert-worker-memory.ts';
import type { EncodedBatch } from './batch-record.ts';
import type { EncodeStage } from './encode-stage.ts';
import type { JobProgress } from './job-progress.ts';

export interface CommitStageOptions {
  readonly context: JobContext;
  readonly folder: JobFolder;
  readonly files: FrameFiles;
  readonly progress: JobProgress;
  /** Encodes a batch again whose segment is damaged. */
  readonly encode: Pick<EncodeStage, 'replace'>;
}

/**
 * The last stage of a batch: decodes and counts the segment, makes it durable, writes the row. In this order a row proves
 * that its segment is correct and on the disk.
 */
export class CommitStage {
  readonly #options: CommitStageOptions;

  constructor(options: CommitStageOptions) {
    this.#options = options;
  }

  async run(batch: EncodedBatch, signal: AbortSignal): Promise<void> {
    const { context, folder, files, progress } = this.#options;
    const { queue, lease } = context;
    const { range, segment, segmentName, encoder, framesReused, startedAtMs } = await this.#verify(
      batch,
      signal,
    );
    await context.commitGate?.pass(queue.batches.listBatches(lease.jobId).length + 1, signal);
    signal.throwIfAborted();
    const { bytes, sha256 } = await folder.publishSegment(segment.segmentPath, segmentName);
    queue.batches.commitBatch(
      lease,
      {
        ...{ ...range, segmentName, encoder, framesReused },
        segmentBytes: bytes,
        segmentSha256: sha256,
        elapsedMs: performance.now() - startedAtMs,
        analysisMs: this.#analysisMs(range.number),
      },
      Date.now(),
    );
    progress.store();
    await files.drop(range, 'out');
    assertWorkerMemory(context.memoryLimitBytes);
  }

  /** Time of the first pass over the batch, for the estimates of later jobs. */
  #analysisMs(number: number): number | null {
    const { queue, job } = this.#options.context;
    return queue.analyses.getDirection(job.id, number)?.elapsedMs ?? null;
  }

  /** Decodes the segment. @returns the batch with a segment that passed, which software may have encoded again */
  async #verify(batch: EncodedBatch, signal: AbortSignal): Promise<EncodedBatch> {
    try {
      await verifySegment(batch.segment, signal);
    } catch (error) {
      return this.#verify(await this.#options.encode.replace(batch, error, signal), signal);
    }
    failPoint('segment.verified');
    return batch;
  }
}

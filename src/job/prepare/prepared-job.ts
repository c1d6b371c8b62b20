import type { BatchRange } from '../../domain/frame-batch.ts';
import type { CommittedBatch, JobPlan } from '../../domain/job.ts';
import type { YuvConversion } from '../../domain/yuv-conversion.ts';
import type { StreamPlan } from '../../media/join/stream-plan.ts';
import type { PipelineDescription } from '../../pipelines/describe-pipeline.ts';
import type { DeviceMemories } from './device-memory.ts';
import type { JobModels } from './find-job-models.ts';
import type { PreparedSource } from './prepared-source.ts';

/** A job with everything that is decided before its first frame is processed. */
export interface PreparedJob extends PreparedSource, JobModels, PipelineDescription {
  readonly plan: JobPlan;
  /** How frames are converted before they are written for the encoder. Absent: they are written as the pipeline gives them. */
  readonly toYuv?: YuvConversion | undefined;
  /** Free memory of each device before the first frame; null where frames are not tiled. */
  readonly memories: DeviceMemories | null;
  readonly streams: StreamPlan;
  /** Path of the finished file, with the extension of its container. */
  readonly outputPath: string;
  /** Batches with a checkpoint whose segments are intact, in order. */
  readonly committed: readonly CommittedBatch[];
  /** Batches without a checkpoint, in order. */
  readonly missing: readonly BatchRange[];
}

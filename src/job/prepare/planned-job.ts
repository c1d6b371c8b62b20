import type { JobPlan } from '../../domain/job.ts';
import type { PipelineFormats } from '../../pipelines/frame-pipeline.ts';
import type { StreamPlan } from '../../media/join/stream-plan.ts';
import type { DeviceMemories } from './device-memory.ts';
import type { JobModels } from './find-job-models.ts';
import type { PreparedSource } from './prepare-source.ts';

/** A job with everything that was decided before its frames are touched. */
export interface PlannedJob extends PreparedSource, JobModels {
  readonly formats: PipelineFormats;
  /** Whether a batch can only be done from the state after the one before it. */
  readonly hasState: boolean;
  readonly plan: JobPlan;
  /** As it was before the first frame; null where nothing is tiled. */
  readonly memories: DeviceMemories | null;
  readonly streams: StreamPlan;
  /** Where the finished file goes, with the extension of its container. */
  readonly outputPath: string;
}

import type { JobPlan } from '../domain/job.ts';
import type { FrameFormat } from '../domain/media-info.ts';
import type { NetworkFile } from '../domain/networks.ts';
import type { StreamPlan } from '../media/stream-plan.ts';
import type { PreparedSource } from './prepare-source.ts';

/** A job with everything that was decided before its frames are touched. */
export interface PlannedJob extends PreparedSource {
  readonly formats: { readonly input: FrameFormat; readonly output: FrameFormat };
  readonly network: NetworkFile | null;
  readonly plan: JobPlan;
  readonly streams: StreamPlan;
  /** Where the finished file goes, with the extension of its container. */
  readonly outputPath: string;
}

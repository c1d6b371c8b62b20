import type { VideoShape } from '../domain/video-shape.ts';
import type { JobPlan, Lease } from '../domain/job.ts';
import { failPoint } from '../lib/fail-point.ts';
import type { Database } from './sqlite.ts';
import type { HomePaths } from './home-paths.ts';
import { assertHeld, HELD } from './lease-guard.ts';

export interface Progress {
  readonly framesDone: number;
  readonly framesPerSecond: number | null;
  readonly etaAtMs: number | null;
}

export type ProgressStore = ReturnType<typeof createProgressStore>;

/** What a worker records about its job. Every function throws LeaseLostError if the lease is lost. */
export function createProgressStore(db: Database, { toStored }: HomePaths) {
  const held = (assignments: string) => {
    const statement = db.prepare<object>(`UPDATE jobs SET ${assignments} WHERE ${HELD}`);
    return (lease: Lease, values: object) => {
      failPoint('report-progress.before-write');
      assertHeld(lease, statement.run({ ...lease, ...values }).changes);
      failPoint('report-progress.written');
    };
  };
  const plan = held('plan = @plan, frames_total = @framesTotal');
  const video = held('video = @video');
  const stage = held('stage = @stage');
  const progress = held(
    'frames_done = @framesDone, frames_per_second = @framesPerSecond, eta_at_ms = @etaAtMs',
  );
  const published = held('output_path = @outputPath, published_at_ms = @nowMs');

  return {
    /** Records the plan made at the job's first start, and its number of frames. */
    setPlan: (lease: Lease, decided: JobPlan, framesTotal: number) =>
      plan(lease, { plan: JSON.stringify(decided), framesTotal }),

    /** Records the shape of the video with its frames counted; estimates for later jobs use it. */
    setVideo: (lease: Lease, counted: VideoShape) => video(lease, { video: JSON.stringify(counted) }),

    setStage: (lease: Lease, name: string) => stage(lease, { stage: name }),

    /** Records progress for display only: a job resumes from its checkpoints. */
    setProgress: (lease: Lease, now: Progress) => progress(lease, now),

    /** Records that the output has its final name. A worker that resumes the job then only cleans up. */
    setPublished(lease: Lease, outputPath: string, nowMs: number): void {
      failPoint('publish-job.before-write');
      published(lease, { outputPath: toStored(outputPath), nowMs });
      failPoint('publish-job.written');
    },
  };
}

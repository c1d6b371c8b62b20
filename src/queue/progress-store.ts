import type { VideoShape } from '../domain/video-shape.ts';
import type { JobPlan, Lease } from '../domain/job.ts';
import { failPoint } from '../lib/fail-point.ts';
import type { Database } from './sqlite.ts';
import { assertHeld, HELD } from './lease-guard.ts';

export interface Progress {
  readonly framesDone: number;
  readonly framesPerSecond: number | null;
  readonly etaAtMs: number | null;
}

export type ProgressStore = ReturnType<typeof createProgressStore>;

/** What a worker says of the job that it holds. Every function throws LeaseLostError when the lease is gone. */
export function createProgressStore(db: Database) {
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
    /** What was decided at the job's first start, and how many frames it has. */
    setPlan: (lease: Lease, decided: JobPlan, framesTotal: number) =>
      plan(lease, { plan: JSON.stringify(decided), framesTotal }),

    /** Its frames counted: what the job costs is measured by it. */
    setVideo: (lease: Lease, counted: VideoShape) => video(lease, { video: JSON.stringify(counted) }),

    setStage: (lease: Lease, name: string) => stage(lease, { stage: name }),

    /** For people only: where the job resumes is decided by its committed batches. */
    setProgress: (lease: Lease, now: Progress) => progress(lease, now),

    /** The finished file has its name. Whoever takes the job from here on only clears up. */
    setPublished(lease: Lease, outputPath: string, nowMs: number): void {
      failPoint('publish-job.before-write');
      published(lease, { outputPath, nowMs });
      failPoint('publish-job.written');
    },
  };
}

import type { CloudJob } from '../queue/job-message.ts';
import type { JobState } from '../state/job-state.ts';

/** What is known of a message when its processing ends. */
export interface MessageProgress {
  job: CloudJob | null;
  state: JobState | null;
  claim: number | null;
  stage: string;
  framesDone: number;
  /** Whether this worker has stored a checkpoint. */
  hasMoved: boolean;
}

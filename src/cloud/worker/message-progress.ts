import type { CloudJob } from '../queue/job-message.ts';
import type { JobState } from '../state/job-state.ts';

/** What is known of a message when its processing ends, for the words about it. */
export interface MessageProgress {
  job: CloudJob | null;
  state: JobState | null;
  claim: number | null;
  stage: string;
  framesDone: number;
}

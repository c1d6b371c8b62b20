import type { Estimate } from '../domain/estimate.ts';
import { counted } from '../lib/counted.ts';
import { formatBytes } from '../lib/format-bytes.ts';
import { formatDuration } from './format-progress.ts';

/** Such as `about 2 h 10 min, by 3 jobs like it; up to 3.4 GB on the disk and 1.2 GB of memory for frames`. */
export function formatEstimate(estimate: Estimate): string {
  return `${formatTime(estimate)}; ${formatNeeds(estimate)}`;
}

/** The needs alone. */
export function formatNeeds({ diskBytes, memoryBytes, jobCount }: Estimate): string {
  const memory = `${formatBytes(memoryBytes)} of memory for frames`;
  if (diskBytes === null) return memory;
  return `${jobCount === 0 ? 'at a guess' : 'about'} ${formatBytes(diskBytes)} on the disk and ${memory}`;
}

function formatTime({ seconds, jobCount }: Estimate): string {
  if (jobCount === 0) return 'no history yet, the time is measured after the first batch';
  if (seconds === null) return 'its length is not known before its frames are counted';
  return `about ${formatDuration(seconds * 1000)}, by ${counted(jobCount, 'job')} like it`;
}

import type { Estimate } from '../domain/estimate.ts';
import { counted } from '../lib/counted.ts';
import { formatBytes } from '../lib/format-bytes.ts';
import { formatDuration } from './format-progress.ts';

/** Formats an estimate, such as `about 2 h 10 min, based on 3 similar jobs; needs about 3.4 GB of disk and 1.2 GB of memory`. */
export function formatEstimate(estimate: Estimate): string {
  return `${formatTime(estimate)}; needs ${formatNeeds(estimate)}`;
}

/** Formats disk and memory only, such as `about 3.4 GB of disk and 1.2 GB of memory`. */
export function formatNeeds({ diskBytes, memoryBytes }: Estimate): string {
  const memory = `${formatBytes(memoryBytes)} of memory`;
  if (diskBytes === null) return memory;
  return `about ${formatBytes(diskBytes)} of disk and ${memory}`;
}

function formatTime({ seconds, basis, diskBytes, jobCount }: Estimate): string {
  if (diskBytes === null) return 'time left: known after the frames are counted';
  if (seconds === null) return 'time left: known after the first batch';
  const source =
    basis === 'measurement' ? 'as measured on this machine' : `based on ${counted(jobCount, 'similar job')}`;
  return `about ${formatDuration(seconds * 1000)}, ${source}`;
}

import { passed, warned, type CheckResult } from '../check.ts';

export interface RamDiskTrial {
  readonly kind: 'mount' | 'shm' | 'folder';
  readonly sizeBytes: number;
  /** Why it is not of a better kind; null where it is the best. */
  readonly reason: string | null;
}

const GIGABYTE = 1e9;
/** A 4K job keeps three batches of 60 raw frames; with much less it works in small batches. */
const COMFORTABLE_BYTES = 2 * GIGABYTE;

/** @param trial of a RAM disk that was set up and given back */
export function checkRamDisk(trial: RamDiskTrial): CheckResult {
  const size = `${(trial.sizeBytes / GIGABYTE).toFixed(1)} GB`;
  if (trial.kind === 'folder') {
    return warned(
      `frames go to a plain folder: ${trial.reason ?? 'so configured'}`,
      'Give /dev/shm more room (docker: --shm-size 4g) or run as root; it works like this, and writes to the disk.',
    );
  }
  const found =
    trial.kind === 'mount'
      ? `a tmpfs of ${size} can be mounted`
      : `/dev/shm is used, with ${size}${trial.reason === null ? '' : ` (${trial.reason})`}`;
  if (trial.sizeBytes >= COMFORTABLE_BYTES) return passed(found);
  return warned(found, 'Free some memory: with less than 2 GB, large videos are done in small batches.');
}

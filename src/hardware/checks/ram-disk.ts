import { passed, warned, type CheckResult } from '../check.ts';

export interface RamDiskTrial {
  readonly kind: 'mount' | 'shm' | 'folder';
  readonly sizeBytes: number;
  /** Why a better kind is not possible; null for the best kind. */
  readonly reason: string | null;
}

const GIGABYTE = 1e9;
/** Enough for three batches of a 4K job; with much less, batches are small. */
const COMFORTABLE_BYTES = 2 * GIGABYTE;

/** Checks the RAM disk. @param trial result of opening and removing a RAM disk */
export function checkRamDisk(trial: RamDiskTrial): CheckResult {
  const size = `${(trial.sizeBytes / GIGABYTE).toFixed(1)} GB`;
  if (trial.kind === 'folder') {
    return warned(
      `none (${trial.reason ?? 'workspace.kind is set to folder'}): frames are written to disk`,
      trial.reason === null
        ? 'Set workspace.kind to auto to use a RAM disk; without one, processing is slower.'
        : 'Free some memory, enlarge /dev/shm (Docker: --shm-size 4g) or run as root; without a RAM disk, processing is slower.',
    );
  }
  const found =
    trial.kind === 'mount'
      ? `a tmpfs of ${size} can be mounted`
      : `${size} in /dev/shm${trial.reason === null ? '' : ` (${trial.reason})`}`;
  if (trial.sizeBytes >= COMFORTABLE_BYTES) return passed(found);
  return warned(
    found,
    'Free some memory, or enlarge /dev/shm (Docker: --shm-size 4g): with a RAM disk of less than 2 GB, large videos are processed in small batches.',
  );
}

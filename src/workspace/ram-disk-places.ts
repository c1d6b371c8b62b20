import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Lease } from '../domain/job.ts';
import { readdirOrNone } from './job-folder.ts';
import { isMountPoint } from './tmpfs.ts';

/** `mount`: a tmpfs of the job; `shm`: a folder in `/dev/shm`; `folder`: a folder on disk. */
export type RamDiskKind = 'mount' | 'shm' | 'folder';

/** Folders that contain the RAM disks of one home, by kind. */
export type RamDiskPlaces = Readonly<Record<RamDiskKind, string>>;

/** A RAM disk that exists, perhaps left by a dead process. */
export interface FoundRamDisk {
  readonly jobId: number;
  readonly kind: RamDiskKind;
  readonly path: string;
}

/** @param stateDir `.framekiln` of the home */
export function ramDiskPlaces(stateDir: string): RamDiskPlaces {
  const home = createHash('sha256').update(stateDir).digest('hex').slice(0, 12);
  return {
    mount: join(stateDir, 'ram'),
    shm: `/dev/shm/framekiln-${home}`,
    folder: join(stateDir, 'frames'),
  };
}

/** Name of a RAM disk. It contains the token, so that a worker that lost its lease never writes to that of its successor. */
export function ramDiskName({ jobId, token }: Pick<Lease, 'jobId' | 'token'>): string {
  return `${jobId}.${token}`;
}

/** Finds all RAM disks of a home. */
export async function findRamDisks(places: RamDiskPlaces): Promise<FoundRamDisk[]> {
  const found: FoundRamDisk[] = [];
  for (const kind of ['mount', 'shm', 'folder'] as const) {
    for (const name of await readdirOrNone(places[kind])) {
      const path = join(places[kind], name);
      // After a reboot, a mount point is an empty folder.
      const isUnmounted = kind === 'mount' && !(await isMountPoint(path));
      found.push({ jobId: Number(name.split('.')[0]), kind: isUnmounted ? 'folder' : kind, path });
    }
  }
  return found;
}

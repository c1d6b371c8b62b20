import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { homeAt, type Home, type IdentifiedHome } from '../../config/home.ts';
import { isOwnerAlive, ownOwner } from '../../lib/process/process-identity.ts';
import { ramDiskPlaces } from '../../workspace/ram-disk-places.ts';
import { removeRamDiskOf } from '../../workspace/ram-disk.ts';

/** ID of the only job in the queue of a session. */
const ONLY_JOB = 1;

/** The home of a session in a folder. Its ID follows from the folder, so that what a killed worker left can be found. */
export function sessionHome(folder: string): IdentifiedHome {
  return { ...homeAt(folder), id: createHash('sha256').update(folder).digest('hex').slice(0, 16) };
}

/** Removes the folder of a session, and its RAM disk if it was left. */
export async function removeSession(folder: string): Promise<void> {
  await removeRamDiskOf(ramDiskPlaces(sessionHome(folder)), ONLY_JOB);
  await rm(folder, { recursive: true, force: true });
}

/** The folder of this process for the videos it works on. Those of workers that were killed are removed. */
export async function ownSessionsFolder({ stateDir }: Pick<Home, 'stateDir'>): Promise<string> {
  const folder = join(stateDir, 'cluster');
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (isOwnerAlive(name.replaceAll('_', ':'))) continue;
    for (const key of await readdir(join(folder, name))) await removeSession(join(folder, name, key));
    await rm(join(folder, name), { recursive: true, force: true });
  }
  return join(folder, ownOwner().replaceAll(':', '_'));
}

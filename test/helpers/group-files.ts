import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GroupPlaces } from '../../src/lib/control-groups.ts';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * Writes control groups as the kernel shows them.
 *
 * @param ownGroups text of `/proc/self/cgroup`
 * @param files by their path below the mount point of control groups
 */
export function groupFiles(ownGroups: string, files: Readonly<Record<string, string>>): GroupPlaces {
  const root = temporaryFolder();
  const places = { ownGroups: join(root, 'own'), groups: join(root, 'groups') };
  writeFileSync(places.ownGroups, `${ownGroups}\n`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(places.groups, path)), { recursive: true });
    writeFileSync(join(places.groups, path), `${text}\n`);
  }
  return places;
}

import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of a program on the search path, with links resolved; null if it is not there. */
export function findProgram(name: string, searchPath: string | undefined): string | null {
  for (const folder of (searchPath ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return realpathSync(path);
    } catch {
      continue; // Not in this folder.
    }
  }
  return null;
}

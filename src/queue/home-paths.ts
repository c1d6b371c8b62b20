import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

/**
 * Converts between absolute paths and the paths in the database, which are relative to the home where they are inside it.
 * So a home that is moved, copied, or mounted elsewhere in a container, still finds its own files.
 */
export interface HomePaths {
  readonly toStored: (path: string) => string;
  readonly fromStored: (path: string) => string;
}

/** Creates the converter for a home. @param databaseFile path of the database, in a folder of the home */
export function homePaths(databaseFile: string): HomePaths {
  const root = resolve(dirname(databaseFile), '..');
  return {
    toStored: (path) => {
      const inside = relative(root, path);
      return inside === '' || inside === '..' || inside.startsWith('../') ? path : inside;
    },
    fromStored: (path) => (isAbsolute(path) ? path : join(root, path)),
  };
}

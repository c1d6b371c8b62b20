import type { Database } from './sqlite.ts';

export type MountPointStore = ReturnType<typeof createMountPointStore>;

/** Folders of this home that were mount points when they were last used. */
export function createMountPointStore(db: Database) {
  const key = (path: string): string => `mount_point:${path}`;
  const select = db.prepare<[string]>(`SELECT 1 FROM settings WHERE key = ?`);
  const insert = db.prepare<[string]>(`INSERT OR IGNORE INTO settings (key, value) VALUES (?, 'true')`);
  const remove = db.prepare<[string]>(`DELETE FROM settings WHERE key = ?`);
  const isKnown = (path: string): boolean => select.get(key(path)) !== undefined;

  // Written only on a change, because a scan asks every few seconds.
  return {
    isKnown,

    remember: (path: string): void => {
      if (!isKnown(path)) insert.run(key(path));
    },

    forget: (path: string): void => {
      if (isKnown(path)) remove.run(key(path));
    },
  };
}

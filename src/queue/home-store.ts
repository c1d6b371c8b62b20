import { openReadOnly } from './database.ts';
import type { Database } from './sqlite.ts';

/** What a home knows about itself. */
export interface HomeIdentity {
  /** ID of the home: 16 random hex digits. */
  readonly id: string;
  /** Real path of the home when it was last started. */
  readonly path: string;
  /** The machine's /etc/machine-id; null where there is none, as in most containers. */
  readonly machine: string | null;
}

export type HomeStore = ReturnType<typeof createHomeStore>;

const SELECT = `SELECT value FROM settings WHERE key = 'home'`;

/** The identity of the home that the database belongs to. */
export function createHomeStore(db: Database) {
  const select = db.prepare<[], { value: string }>(SELECT);
  const put = db.prepare<[string]>(`INSERT OR REPLACE INTO settings (key, value) VALUES ('home', ?)`);
  const selectDaemon = db.prepare<[], { value: string }>(`SELECT value FROM settings WHERE key = 'daemon'`);
  const putDaemon = db.prepare<[string]>(`INSERT OR REPLACE INTO settings (key, value) VALUES ('daemon', ?)`);

  return {
    /** The identity of the home; null before its first start. */
    identity: (): HomeIdentity | null => parse(select.get()),

    /** Records the owner string of the daemon that has just started. */
    setDaemon: (owner: string): void => void putDaemon.run(owner),

    /** Owner string of the daemon that started last; null before the first start. */
    daemon: (): string | null => selectDaemon.get()?.value ?? null,

    setIdentity: (identity: HomeIdentity): void => void put.run(JSON.stringify(identity)),
  };
}

/** ID of the home that another database belongs to, which is only read; null if it has none. */
export function homeIdIn(databaseFile: string): string | null {
  const db = openReadOnly(databaseFile);
  try {
    return parse(db.prepare<[], { value: string }>(SELECT).get())?.id ?? null;
  } finally {
    db.close();
  }
}

function parse(row: { value: string } | undefined): HomeIdentity | null {
  return row === undefined ? null : (JSON.parse(row.value) as HomeIdentity);
}

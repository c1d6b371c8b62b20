import type { Migration } from '../migrate.ts';

/** Tiles for which memory sufficed after it had been short: what the next job of the same kind begins with. */
export const tileSizes: Migration = {
  name: '0005-tile-sizes',
  sql: `
    CREATE TABLE tile_sizes (
      device TEXT NOT NULL,
      memory_bytes INTEGER NOT NULL,
      network_sha256 TEXT NOT NULL,
      scale REAL NOT NULL,
      width INTEGER NOT NULL,
      height INTEGER NOT NULL,
      tile INTEGER NOT NULL,
      worked_at_ms INTEGER NOT NULL,
      PRIMARY KEY (device, memory_bytes, network_sha256, scale, width, height)
    ) STRICT, WITHOUT ROWID;
  `,
};

import type { Migration } from '../migrate.ts';

/** Adds the tile sizes that worked after memory had run out, with which the next job of the same kind starts. */
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

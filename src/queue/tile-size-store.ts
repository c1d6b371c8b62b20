import type { Lease } from '../domain/job.ts';
import type { Database } from './database.ts';
import { assertHeld, HELD } from './lease-guard.ts';

/** What decides how large a tile a device has memory for. */
export interface TileKey {
  /** `cpu`, or the card's name. */
  readonly device: string;
  /** All that the device has: a machine that was given more forgets what it learned with less. */
  readonly memoryBytes: number;
  readonly networkSha256: string;
  readonly scale: number;
  /** Of the source's frames. */
  readonly width: number;
  readonly height: number;
}

/** Memory that was short once may have been another program's doing: a size binds no longer than a day. */
const HOLDS_FOR_MS = 24 * 3_600_000;

export type TileSizeStore = ReturnType<typeof createTileSizeStore>;

/** The edges of tiles that memory sufficed for after it had been short. */
export function createTileSizeStore(db: Database) {
  const forgetOlder = db.prepare<[number]>(`DELETE FROM tile_sizes WHERE worked_at_ms <= ?`);
  const upsert = db.prepare<object>(
    `INSERT OR REPLACE INTO tile_sizes (device, memory_bytes, network_sha256, scale, width, height, tile, worked_at_ms)
     SELECT @device, @memoryBytes, @networkSha256, @scale, @width, @height, @tile, @nowMs FROM jobs WHERE ${HELD}`,
  );
  const select = db.prepare<object, { tile: number }>(
    `SELECT tile FROM tile_sizes
     WHERE device = @device AND memory_bytes = @memoryBytes AND network_sha256 = @networkSha256 AND scale = @scale
       AND width = @width AND height = @height AND worked_at_ms > @sinceMs`,
  );

  return {
    /** Throws LeaseLostError, with nothing written, when the lease is gone. */
    remember(lease: Lease, key: TileKey, tile: number, nowMs: number): void {
      assertHeld(lease, upsert.run({ ...lease, ...key, tile, nowMs }).changes);
      forgetOlder.run(nowMs - HOLDS_FOR_MS);
    },

    /** null where memory was not short in the last day. */
    recall(key: TileKey, nowMs: number): number | null {
      return select.get({ ...key, sinceMs: nowMs - HOLDS_FOR_MS })?.tile ?? null;
    },
  };
}

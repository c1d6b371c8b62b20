import { IN_ORDER } from './job-row.ts';
import type { Database } from './sqlite.ts';

export type MoveStore = ReturnType<typeof createMoveStore>;

interface Place {
  readonly id: number;
  readonly priority: number;
  readonly position: number;
}

/** The order in which queued jobs are claimed: by priority, then by position, which is the ID of a job until it is moved. */
export function createMoveStore(db: Database) {
  const PLACE = `SELECT id, priority, coalesce(position, id) AS position FROM jobs WHERE state = 'queued'`;
  const selectPlace = db.prepare<[number], Place>(`${PLACE} AND id = ?`);
  const selectLast = db.prepare<[number], Place>(
    `${PLACE} AND id <> ? ORDER BY priority, coalesce(position, id) DESC, id DESC LIMIT 1`,
  );
  const selectAhead = db.prepare<Place & { moved: number }, Place>(
    `${PLACE} AND id <> @moved AND priority = @priority
       AND (coalesce(position, id) < @position OR (coalesce(position, id) = @position AND id < @id))
     ORDER BY coalesce(position, id) DESC, id DESC LIMIT 1`,
  );
  const setPlace = db.prepare<Place>(
    `UPDATE jobs SET priority = @priority, position = @position WHERE id = @id`,
  );
  const selectEnd = db.prepare<[], { position: number }>(`SELECT max(id) + 1 AS position FROM jobs`);
  // All positions stay below the ID of the next job, which is queued behind them.
  const spread = db.prepare<[number]>(
    `UPDATE jobs SET position = placed.rank * (SELECT max(id) FROM jobs) * 1.0 / placed.count
     FROM (SELECT id, row_number() OVER (ORDER BY ${IN_ORDER}) AS rank, count(*) OVER () AS count
           FROM jobs WHERE state = 'queued' AND priority = ?) AS placed
     WHERE jobs.id = placed.id`,
  );

  /** Where the job goes; null if the two jobs around it leave no room. */
  function between(id: number, before: number | null): Place | null {
    const next = before === null ? selectLast.get(id) : selectPlace.get(before);
    if (next === undefined) return null;
    const ahead = before === null ? next : selectAhead.get({ ...next, moved: id });
    const end = before === null ? (selectEnd.get()?.position ?? 0) : next.position;
    const position = ahead === undefined ? end - 1 : (ahead.position + end) / 2;
    const isBetween = (ahead === undefined || position > ahead.position) && position < end;
    return isBetween ? { id, priority: next.priority, position } : null;
  }

  // Without a transaction: spreading keeps the order, moving is one statement, and the daemon alone moves jobs.
  function moveJob(id: number, before: number | null): boolean {
    const next = before === null ? selectLast.get(id) : selectPlace.get(before);
    if (selectPlace.get(id) === undefined || next === undefined || before === id) return false;
    let place = between(id, before);
    if (place === null) {
      spread.run(next.priority);
      place = between(id, before);
    }
    if (place === null) return false;
    setPlace.run(place);
    return true;
  }

  return {
    /**
     * Moves a queued job in front of another one, whose priority it takes.
     *
     * @param before null: behind all queued jobs
     * @returns false if one of the jobs is not queued, or there is no other one
     */
    moveJob,
  };
}

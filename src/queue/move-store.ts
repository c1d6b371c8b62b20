import { IN_ORDER } from './job-row.ts';
import type { Database } from './sqlite.ts';

export type MoveStore = ReturnType<typeof createMoveStore>;

interface Place {
  readonly id: number;
  readonly priority: number;
  readonly position: number;
}

/** The other queued job, by its ID. `before: null`: behind all queued jobs. */
export type MoveTarget = { readonly before: number | null } | { readonly after: number };

/** The positions around the place of a moved job; `start` is null at the front. */
interface Room {
  readonly priority: number;
  readonly start: number | null;
  readonly end: number;
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
  const selectBehind = db.prepare<Place & { moved: number }, { position: number }>(
    `${PLACE} AND id <> @moved AND priority = @priority
       AND (coalesce(position, id) > @position OR (coalesce(position, id) = @position AND id > @id))
     ORDER BY coalesce(position, id), id LIMIT 1`,
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

  /** The room where the job goes; null if a job is not queued, or there is no other one. */
  function findRoom(id: number, where: MoveTarget): Room | null {
    if ('before' in where && where.before !== null) {
      const next = selectPlace.get(where.before);
      if (next === undefined || next.id === id) return null;
      return {
        ...{ priority: next.priority, end: next.position },
        start: selectAhead.get({ ...next, moved: id })?.position ?? null,
      };
    }
    const ahead = 'after' in where ? selectPlace.get(where.after) : selectLast.get(id);
    if (ahead === undefined || ahead.id === id) return null;
    const behind = selectBehind.get({ ...ahead, moved: id }) ?? selectEnd.get();
    return { priority: ahead.priority, start: ahead.position, end: behind?.position ?? 0 };
  }

  /** A position in the room; null if it is too small for one. */
  function middleOf({ start, end }: Room): number | null {
    if (start === null) return end - 1;
    const position = (start + end) / 2;
    return position > start && position < end ? position : null;
  }

  // Without a transaction: spreading keeps the order, moving is one statement, and the daemon alone moves jobs.
  function moveJob(id: number, where: MoveTarget): boolean {
    let room = findRoom(id, where);
    if (room === null || selectPlace.get(id) === undefined) return false;
    if (middleOf(room) === null) {
      spread.run(room.priority);
      room = findRoom(id, where) ?? room;
    }
    const position = middleOf(room);
    if (position === null) return false;
    setPlace.run({ id, priority: room.priority, position });
    return true;
  }

  return {
    /**
     * Moves a queued job in front of or behind another one, whose priority it takes.
     *
     * @returns false if one of the jobs is not queued, or there is no other one
     */
    moveJob,
  };
}

import type { Command, CommandKind } from '../domain/job.ts';
import { failPoint } from '../lib/fail-point.ts';
import type { Database } from './sqlite.ts';

export interface NewCommand {
  readonly kind: CommandKind;
  /** The job that the command applies to; null for the whole queue. */
  readonly jobId: number | null;
  /** The argument of the command: any JSON value, or null for none. */
  readonly argument: unknown;
  readonly nowMs: number;
}

export interface CommandOutcome {
  readonly succeeded: boolean;
  /** The result as a sentence for the user. */
  readonly result: string;
}

interface CommandRow extends Omit<Command, 'argument'> {
  readonly argument: string;
}

export type CommandStore = ReturnType<typeof createCommandStore>;

/** Requests of the CLI and the page to the daemon, and their outcomes. */
export function createCommandStore(db: Database) {
  const insert = db.prepare<object>(
    `INSERT INTO commands (kind, job_id, argument, created_at_ms) VALUES (@kind, @jobId, @argument, @nowMs)`,
  );
  const selectUnhandled = db.prepare<[], CommandRow>(
    `SELECT id, kind, job_id AS jobId, argument, created_at_ms AS createdAtMs
     FROM commands WHERE handled_at_ms IS NULL ORDER BY id`,
  );
  const setOutcome = db.prepare<object>(
    `UPDATE commands SET handled_at_ms = @nowMs, succeeded = @succeeded, result = @result
     WHERE id = @id AND handled_at_ms IS NULL`,
  );
  const selectOutcome = db.prepare<[number], { succeeded: number; result: string }>(
    `SELECT succeeded, result FROM commands WHERE id = ? AND handled_at_ms IS NOT NULL`,
  );

  return {
    /** Inserts a command and returns its ID, for `getOutcome`. */
    insertCommand({ kind, jobId, argument, nowMs }: NewCommand): number {
      failPoint('insert-command.before-write');
      const { lastInsertRowid } = insert.run({ kind, jobId, argument: JSON.stringify(argument), nowMs });
      failPoint('insert-command.written');
      return Number(lastInsertRowid);
    },

    /** Commands that have not been handled, in order. */
    nextCommands(): Command[] {
      return selectUnhandled.all().map((row) => ({ ...row, argument: JSON.parse(row.argument) as unknown }));
    },

    markHandled(id: number, { succeeded, result }: CommandOutcome, nowMs: number): void {
      failPoint('handle-command.before-write');
      setOutcome.run({ id, succeeded: succeeded ? 1 : 0, result, nowMs });
      failPoint('handle-command.written');
    },

    /** The outcome of a command; null until it is handled. */
    getOutcome(id: number): CommandOutcome | null {
      const row = selectOutcome.get(id);
      return row === undefined ? null : { succeeded: row.succeeded === 1, result: row.result };
    },
  };
}

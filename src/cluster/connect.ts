import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { Db, PgBoss } from 'pg-boss';
import { programRoot } from '../config/home.ts';
import { codeOf, ConfigurationError, toError } from '../domain/errors.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Logger } from '../observability/log-entry.ts';

/** A connection to the database of a cluster. */
export interface Connection {
  readonly pool: Pool;
  readonly boss: PgBoss;
  /** Makes several statements one transaction. `rollback` as its result undoes them. */
  inTransaction<Result>(
    run: (db: Db) => Promise<Result | typeof ROLLBACK>,
  ): Promise<Result | typeof ROLLBACK>;
  close(): Promise<void>;
}

export const ROLLBACK = Symbol('rollback');

/** Schemas in the database; pg-boss makes the tables of the second one. */
export const SCHEMA = 'framekiln_cluster';
export const QUEUE_SCHEMA = 'framekiln_queue';

const CONNECT_MS = 10_000;
/** A statement without an answer for this long: the connection is dead, and another one is opened. */
const ANSWER_MS = 30_000;
/** How often lost workers are looked for. pg-boss needs at least 10 s to miss a heartbeat. */
const SUPERVISE_SECONDS = 2;

const TABLES = `
  BEGIN;
  SELECT pg_advisory_xact_lock(hashtext('framekiln_cluster'));
  CREATE SCHEMA IF NOT EXISTS ${SCHEMA};
  CREATE TABLE IF NOT EXISTS ${SCHEMA}.cluster (only_row bool PRIMARY KEY DEFAULT true CHECK (only_row), id uuid NOT NULL);
  INSERT INTO ${SCHEMA}.cluster (id) VALUES ('NEW_ID') ON CONFLICT DO NOTHING;
  CREATE TABLE IF NOT EXISTS ${SCHEMA}.videos (key text PRIMARY KEY, home_id text NOT NULL, job_id int NOT NULL,
    setup jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE IF NOT EXISTS ${SCHEMA}.batches (video text NOT NULL REFERENCES ${SCHEMA}.videos ON DELETE CASCADE,
    number int NOT NULL, batch jsonb NOT NULL, PRIMARY KEY (video, number));
  CREATE TABLE IF NOT EXISTS ${SCHEMA}.workers (name text PRIMARY KEY, state jsonb NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now());
  COMMIT;`;

/**
 * Connects to the database of a cluster and creates its tables.
 *
 * @throws ConfigurationError if the libraries are missing or the database refuses the user; other errors of pg if it cannot be reached
 */
export async function connect(url: string, log: Logger): Promise<Connection> {
  const { Pool, PgBoss } = await loadLibraries();
  const pool = new Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    application_name: 'framekiln',
  });
  // An idle connection broke; the next statement opens another one.
  pool.on('error', (error) => log.debug(`cluster database: ${error.message}`));
  const boss = new PgBoss({
    db: asDb(pool),
    schema: QUEUE_SCHEMA,
    schedule: false,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
    reindex: false,
    monitorVacuum: false,
  });
  boss.on('error', (error) => log.debug(`cluster queue: ${error.message}`));
  try {
    await boss.start();
    await pool.query(TABLES.replace('NEW_ID', randomUUID()));
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => undefined);
    await pool.end();
    throw explained(toError(error), url);
  }
  return {
    pool,
    boss,
    inTransaction: (run) => inTransaction(pool, run),
    close: async () => {
      await boss.stop({ graceful: false }).catch(() => undefined);
      await pool.end();
    },
  };
}

async function inTransaction<Result>(
  pool: Pool,
  run: (db: Db) => Promise<Result | typeof ROLLBACK>,
): Promise<Result | typeof ROLLBACK> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await run(asDb(client));
    await client.query(result === ROLLBACK ? 'ROLLBACK' : 'COMMIT');
    return result;
  } catch (error) {
    failure = toError(error);
    throw error;
  } finally {
    // With an error, the connection is closed, and PostgreSQL rolls back.
    client.release(failure);
  }
}

function asDb(connection: Pool | PoolClient): Db {
  return { executeSql: (text, values) => connection.query(text, values) };
}

async function loadLibraries() {
  try {
    const [{ default: pg }, { PgBoss }] = await Promise.all([import('pg'), import('pg-boss')]);
    return { Pool: pg.Pool, PgBoss };
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    // In dist/, where npm finds no package.json of Framekiln whose other dependencies it would install or remove.
    const folder = join(programRoot, 'dist');
    const sentence = `A cluster needs two packages that are not installed; to install them: npm install --no-save --engine-strict=false --prefix ${folder} pg@8 pg-boss@12`;
    throw new ConfigurationError(sentence, [sentence], { cause: error });
  }
}

/** Codes of PostgreSQL for a user, password or database that is wrong. */
const REFUSED: ReadonlySet<string> = new Set(['28000', '28P01', '3D000', '42501']);

function explained(error: Error, url: string): Error {
  if (!REFUSED.has(codeOf(error))) return error;
  const sentence = `The cluster database ${withoutPassword(url)} refuses access: ${withoutFullStop(error.message)}. Correct cluster.database.`;
  return new ConfigurationError(sentence, [sentence], { cause: error });
}

/** The address of a database as it may be shown. */
export function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^:/@]*):[^@]*@/, '$1:***@').replace(/([?&]password=)[^&]*/, '$1***');
}

const UNREACHABLE =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|08|57P0|53300)/;

/** Whether a statement failed because the database cannot be reached, so that it may be repeated. */
export function isUnreachableDatabase(error: unknown): boolean {
  return (
    UNREACHABLE.test(codeOf(error)) ||
    // A socket file that is missing, and not any other file.
    (codeOf(error) === 'ENOENT' && (error as NodeJS.ErrnoException).syscall === 'connect') ||
    /Connection terminated|timeout|connection error|not queryable/i.test(toError(error).message)
  );
}

/** The error of a host name with several addresses has a code only. */
export function whyUnreachable(error: unknown): string {
  return withoutFullStop(toError(error).message) || codeOf(error);
}

/** Repeats an action until the database can be reached. @throws the reason of the signal, and all other errors of the action */
export async function untilReachable<Result>(
  action: () => Promise<Result>,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<Result> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      const result = await action();
      if (failures > 0) log.info('the cluster database can be reached again');
      return result;
    } catch (error) {
      if (!isUnreachableDatabase(error)) throw error;
      if (failures === 0)
        log.warn(`cannot reach the cluster database (${whyUnreachable(error)}); retrying until it answers`);
      await delay(Math.min(5_000, 250 * 2 ** failures), undefined, { signal });
    }
  }
}

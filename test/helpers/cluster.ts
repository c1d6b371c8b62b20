import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Client } from 'pg';
import { expect } from 'vitest';
import { frameMd5 } from './clips.ts';
import { makeHome, run, start, type Running } from './framekiln.ts';
import { startPostgres, type Postgres } from './postgres.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SETTINGS =
  'intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 4, frames: 4 }\nworkspace: { memoryFraction: 0.05 }\nencoder: { nvenc: false, preset: ultrafast }\n';

export interface TestCluster {
  /** Folder of this test; the homes are in it. */
  readonly root: string;
  readonly postgres: Postgres;
  /** Home of the coordinator. */
  readonly home: string;
  /** Home of the same settings without a cluster. */
  readonly alone: string;
  /** The shared folder, or the bucket. */
  readonly store: string;
  /** Starts a worker in a home of its own, as another machine would. */
  readonly startWorker: (
    name: string,
    environment?: Record<string, string>,
    network?: WorkerNetwork,
  ) => Running & { readonly home: string };
  /** Runs a statement in the database. @returns its rows */
  readonly sql: (statement: string) => Promise<Record<string, unknown>[]>;
  /** As if every worker that has a batch had been silent for an hour. */
  readonly loseHeartbeats: () => Promise<void>;
  /** Starts `framekiln run FILE` on the coordinator. */
  readonly coordinate: (file: string, model?: string) => Running;
  /** Environment of programs that use the store. */
  readonly environment: Record<string, string>;
}

/** How a worker reaches the database: directly if it is left out. */
export interface WorkerNetwork {
  /** Address of the database for the worker. */
  readonly url: string;
  /** A program, with arguments, that runs the worker in its network. */
  readonly wrapper: readonly string[];
}

/** A database, a store, which is a shared folder if no other one is given, and the home of a coordinator. */
export async function startCluster(bucket?: string, environment = {}): Promise<TestCluster> {
  const postgres = await startPostgres();
  const root = temporaryFolder();
  const store = bucket ?? join(root, 'share');
  if (bucket === undefined) mkdirSync(store);
  const cluster = `cluster: { database: "${postgres.url}", store: "${store}" }\n`;
  const home = makeHome(join(root, 'coordinator'), SETTINGS + cluster);
  const alone = makeHome(join(root, 'alone'), SETTINGS);
  const startWorker = (name: string, others: Record<string, string> = {}, network?: WorkerNetwork) => {
    const workerHome = makeHome(join(root, name), SETTINGS);
    const place = ['--cluster', network?.url ?? postgres.url, '--store', store];
    const args = ['worker', '--home', workerHome, ...place, '--name', name];
    return { ...start(args, others, 'ignore', network?.wrapper), home: workerHome };
  };
  const coordinate = (file: string, model = 'lanczos'): Running =>
    start(['run', file, '--home', home, '--model', model, '--scale', '2', '--skip-checks'], environment);
  const sql = async (statement: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  };
  const loseHeartbeats = async (): Promise<void> => {
    await sql(
      "UPDATE framekiln_queue.job SET heartbeat_on = heartbeat_on - interval '1 hour' WHERE state = 'active'",
    );
  };
  return { root, postgres, sql, loseHeartbeats, home, alone, store, startWorker, coordinate, environment };
}

/** Frames of the same job without a cluster. */
export function undisturbed(
  { alone }: Pick<TestCluster, 'alone'>,
  clip: string,
  model = 'lanczos',
): string[] {
  const { status, stderr } = run([
    ...['run', clip, '--home', alone, '--model', model, '--scale', '2', '--skip-checks'],
  ]);
  expect(status, stderr).toBe(0);
  return frameMd5(join(alone, 'output/clip.mp4'));
}

export function workerLog({ home }: { readonly home: string }): string {
  const path = join(home, 'logs/cluster-worker.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Batches that the coordinator has committed. */
export function committedBatches(home: string): number {
  const file = join(home, '.framekiln/framekiln.db');
  if (!existsSync(file)) return 0;
  const database = new SqliteDatabase(file, { readonly: true });
  try {
    return database.prepare<[], { count: number }>('SELECT count(*) AS count FROM batches').get()?.count ?? 0;
  } catch {
    return 0; // Not migrated yet.
  } finally {
    database.close();
  }
}

/** A shell command that waits until a file exists. */
export function untilExists(path: string): string {
  return `while ! test -e ${path}; do sleep 0.1; done`;
}

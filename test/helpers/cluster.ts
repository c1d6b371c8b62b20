import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { makeHome, start, type Running } from './framekiln.ts';
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
  /** The shared folder. */
  readonly store: string;
  /** Starts a worker in a home of its own, as another machine would. */
  readonly startWorker: (
    name: string,
    environment?: Record<string, string>,
  ) => Running & { readonly home: string };
  /** As if every worker that has a batch had been silent for an hour. */
  readonly loseHeartbeats: () => Promise<void>;
  /** Starts `framekiln run FILE` on the coordinator. */
  readonly coordinate: (file: string) => Running;
}

/** A database, a shared folder, and the home of a coordinator. */
export async function startCluster(): Promise<TestCluster> {
  const postgres = await startPostgres();
  const root = temporaryFolder();
  const store = join(root, 'share');
  mkdirSync(store);
  const cluster = `cluster: { database: "${postgres.url}", store: "${store}" }\n`;
  const home = makeHome(join(root, 'coordinator'), SETTINGS + cluster);
  const alone = makeHome(join(root, 'alone'), SETTINGS);
  const startWorker = (name: string, environment: Record<string, string> = {}) => {
    const workerHome = makeHome(join(root, name), SETTINGS);
    const args = [
      'worker',
      '--home',
      workerHome,
      '--cluster',
      postgres.url,
      '--store',
      store,
      '--name',
      name,
    ];
    return { ...start(args, environment), home: workerHome };
  };
  const coordinate = (file: string): Running =>
    start(['run', file, '--home', home, '--model', 'lanczos', '--scale', '2', '--skip-checks']);
  const loseHeartbeats = async (): Promise<void> => {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(
      "UPDATE framekiln_queue.job SET heartbeat_on = heartbeat_on - interval '1 hour' WHERE state = 'active'",
    );
    await client.end();
  };
  return { root, postgres, loseHeartbeats, home, alone, store, startWorker, coordinate };
}

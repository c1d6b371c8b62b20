import { hostname } from 'node:os';
import { join } from 'node:path';
import { createClusterDatabase } from '../cluster/cluster-database.ts';
import { connect, untilReachable } from '../cluster/connect.ts';
import { openStore, storePlace, waitForStore } from '../cluster/open-store.ts';
import { readMembership, type Membership } from '../cluster/token.ts';
import { ownSessionsFolder } from '../cluster/worker/session-folders.ts';
import { traceFile } from '../config/environment.ts';
import { modelFolders, type Home } from '../config/home.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { InferenceThread } from '../inference-thread/inference-thread.ts';
import { createLogger } from '../observability/logger.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome } from './open-home.ts';
import { stopSignal } from './stop-signal.ts';

export interface ClusterWorkerOptions extends GlobalOptions {
  /** Address of the database; true: that of the cluster that this home has joined. */
  readonly cluster?: string | true;
  readonly store?: string;
  readonly name?: string;
  readonly once?: true;
}

/** `framekiln worker --cluster`: works until it is stopped or, with `--once`, until no batch waits. */
export async function runClusterWorker(cli: Cli, options: ClusterWorkerOptions): Promise<void> {
  const { home, settings } = openHome(cli, options);
  const { database: url, store: place } = await membershipOf(options, home, settings.cluster);
  const file = join(home.logs, 'cluster-worker.log');
  const log = createLogger({ file, level: settings.log.level, console: true });
  const signal = stopSignal();
  try {
    const connection = await untilReachable(() => connect(url, log), { log, signal });
    try {
      const database = createClusterDatabase(connection);
      const clusterId = await untilReachable(() => database.clusterId(), { log, signal });
      const once = options.once === true;
      const store = await (once
        ? openStore(place, clusterId, false)
        : waitForStore(place, clusterId, { log, signal }));
      // Loaded only now, because the engines take longer than most commands.
      const { ClusterWorker } = await import('../cluster/worker/cluster-worker.ts');
      const worker = options.name ?? `${hostname()}-${process.pid}`;
      log.info(`worker ${worker} is connected to the cluster`);
      await new ClusterWorker({
        ...{ database, store, worker, log, signal, settings },
        folder: await ownSessionsFolder(home),
        modelFolders: modelFolders(home),
        inferenceThread: new InferenceThread(),
        traceFile: traceFile(),
        once,
      }).run();
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await log.close();
  }
  if (signal.aborted) cli.exitCode = ExitCode.stopped;
}

/** From the options, else from the token, else from the settings of a daemon on the same home. */
async function membershipOf(
  { cluster, store }: ClusterWorkerOptions,
  home: Home,
  settings: Pick<Membership, 'database' | 'store'>,
): Promise<Pick<Membership, 'database' | 'store'>> {
  const joined = (await readMembership(home)) ?? settings;
  const database = typeof cluster === 'string' ? cluster : joined.database;
  const place = store === undefined ? joined.store : storePlace(store);
  if (database !== '' && place !== '') return { database, store: place };
  const sentence =
    database === ''
      ? 'This home has joined no cluster; on the machine of the daemon run framekiln cluster token, and here what it prints.'
      : 'The shared folder of the cluster is not known; join with framekiln cluster join, or name it with --store.';
  throw new ConfigurationError(sentence, [sentence]);
}

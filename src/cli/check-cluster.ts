import { createClusterDatabase } from '../cluster/cluster-database.ts';
import { connect, isUnreachableDatabase, whyUnreachable, withoutPassword } from '../cluster/connect.ts';
import { openStore } from '../cluster/open-store.ts';
import type { Settings } from '../config/settings.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { failed, passed, warned, type CheckResult } from '../hardware/check.ts';
import { counted } from '../lib/counted.ts';
import { silentLogger } from '../observability/silent-logger.ts';

/** Checks that the database and the store of the cluster can be used, and that somebody works for it. */
export async function checkCluster({ database: url, store }: Settings['cluster']): Promise<CheckResult> {
  try {
    const connection = await connect(url, silentLogger);
    try {
      const database = createClusterDatabase(connection);
      await openStore(store, await database.clusterId(), true);
      const workers = await database.workers();
      return workers.length > 0
        ? passed(`${counted(workers.length, 'worker')} connected to ${withoutPassword(url)}`)
        : warned('no worker is connected, so jobs wait', 'Run on each machine: framekiln worker --cluster');
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (error instanceof ConfigurationError)
      return failed(error.message, 'Correct cluster.database or cluster.store.');
    if (!isUnreachableDatabase(error)) throw error;
    return warned(
      `${withoutPassword(url)} does not answer (${whyUnreachable(error)})`,
      'Start PostgreSQL there; until it answers, jobs wait.',
    );
  }
}

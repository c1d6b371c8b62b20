import { Command } from 'commander';
import { createClusterDatabase, type ClusterDatabase } from '../cluster/cluster-database.ts';
import { connect, isUnreachableDatabase, whyUnreachable, withoutPassword } from '../cluster/connect.ts';
import { openStore, storePlace } from '../cluster/open-store.ts';
import { decodeToken, encodeToken, readMembership, writeMembership } from '../cluster/token.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { visibleText } from '../lib/visible-text.ts';
import { silentLogger } from '../observability/silent-logger.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { formatTable } from './format-table.ts';
import { makeHome, openHome } from './open-home.ts';

/** `framekiln cluster`: spreads a video over several machines. */
export function clusterCommand(cli: Cli): Command {
  return new Command('cluster')
    .description('Spread one video over several machines')
    .addCommand(tokenCommand(cli))
    .addCommand(joinCommand(cli))
    .addCommand(statusCommand(cli));
}

function tokenCommand(cli: Cli): Command {
  return new Command('token')
    .description('Print the commands with which another machine joins the cluster of this one')
    .action(async (_, self: Command) => {
      const { settings } = openHome(cli, self.optsWithGlobals<GlobalOptions>());
      const { database, store } = settings.cluster;
      if (database === '' || store === '')
        throw fault('This home has no cluster; set cluster.database and cluster.store first.');
      await withDatabase(database, async (db) => {
        // Marks the store, so that a machine that joins can tell that it sees the same folder.
        await openStore(store, await db.clusterId(), true);
      });
      cli.print(`framekiln cluster join ${encodeToken({ database, store })}`);
      cli.print('framekiln worker --cluster');
      cli.complain(
        'Run these two commands on the other machine. The token contains the address of the database; keep it secret if that has a password.',
      );
    });
}

function joinCommand(cli: Cli): Command {
  return new Command('join')
    .description('Join the cluster that printed a token')
    .argument('<token>', 'what framekiln cluster token prints')
    .option('--store <folder>', 'path of the shared folder on this machine, if it is another one')
    .action(async (token: string, options: { store?: string }, self: Command) => {
      const found = decodeToken(token);
      const membership = { ...found, store: storePlace(options.store ?? found.store) };
      const home = makeHome(self.optsWithGlobals<GlobalOptions>());
      await withDatabase(membership.database, async (db) => {
        await openStore(membership.store, await db.clusterId(), false);
      });
      await writeMembership(home, membership);
      cli.print(
        `Joined the cluster of ${withoutPassword(membership.database)}; to work for it: framekiln worker --cluster`,
      );
    });
}

function statusCommand(cli: Cli): Command {
  return new Command('status')
    .description('Show the machines of the cluster and the videos they work on')
    .option('--json', 'print as JSON')
    .action(async (options: { json?: true }, self: Command) => {
      const { home, settings } = openHome(cli, self.optsWithGlobals<GlobalOptions>());
      const url = settings.cluster.database || (await readMembership(home))?.database;
      if (url === undefined)
        throw fault(
          'This home has no cluster; set cluster.database, or join one with framekiln cluster join.',
        );
      await withDatabase(url, async (db) => {
        const [workers, videos] = await Promise.all([db.workers(), db.videos()]);
        if (options.json) {
          cli.print(JSON.stringify({ workers, videos }, null, 2));
          return;
        }
        if (workers.length === 0)
          cli.print('No worker is connected; on each machine: framekiln worker --cluster');
        const doing = workers.map(({ name, version, work }) => [
          name,
          version,
          work === null
            ? 'waits'
            : `${work.batches.length === 1 ? 'batch' : 'batches'} ${work.batches.join(', ')} of ${visibleText(work.video)}`,
        ]);
        for (const line of formatTable(['worker', 'version', 'now'], doing)) cli.print(line);
        for (const { name, refusals } of workers)
          for (const [key, reason] of Object.entries(refusals)) {
            const video = videos.find((each) => each.key === key);
            if (video !== undefined)
              cli.print(`${name} takes no batches of ${visibleText(video.name)}: ${reason}`);
          }
        for (const { name, finished, waiting, active } of videos)
          cli.print(
            `${visibleText(name)}: ${finished} batches finished, ${active} in work, ${waiting} waiting`,
          );
      });
    });
}

async function withDatabase(url: string, use: (database: ClusterDatabase) => Promise<void>): Promise<void> {
  const connection = await connect(url, silentLogger).catch((error: unknown) => {
    if (!isUnreachableDatabase(error)) throw error;
    throw fault(`The cluster database ${withoutPassword(url)} cannot be reached (${whyUnreachable(error)}).`);
  });
  try {
    await use(createClusterDatabase(connection));
  } finally {
    await connection.close();
  }
}

function fault(sentence: string): ConfigurationError {
  return new ConfigurationError(sentence, [sentence]);
}

import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { FolderStore } from '../cloud/object-store/folder-store.ts';
import type { ObjectStore } from '../cloud/object-store/object-store.ts';
import { codeOf, ConfigurationError } from '../domain/errors.ts';

/** Object that says to which cluster a store belongs. */
const STAMP = 'cluster.json';

/**
 * Opens the store of a cluster and checks that it is the same one on every machine.
 *
 * @param clusterId ID of the cluster in its database
 * @param mayStamp whether an empty store may be given to this cluster, as the coordinator does
 * @throws ConfigurationError if it is missing, or belongs to no or another cluster
 */
export async function openStore(place: string, clusterId: string, mayStamp: boolean): Promise<ObjectStore> {
  if (!isAbsolute(place))
    throw fault(`The cluster store ${place} is no absolute path; set cluster.store to a folder that all machines share.`);
  try {
    if (!(await stat(place)).isDirectory()) throw fault(`The cluster store ${place} is not a folder.`);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw fault(`The cluster store ${place} cannot be opened (${codeOf(error)}); mount the share that holds it.`);
  }
  const store = new FolderStore(place);
  let stamp = await store.get(STAMP);
  if (stamp === undefined && mayStamp) {
    await store.put(STAMP, JSON.stringify({ id: clusterId }), { ifNoneMatch: '*' }).catch(() => undefined);
    stamp = await store.get(STAMP);
  }
  if (stamp === undefined)
    throw fault(
      `The folder ${place} is not the store of this cluster: it has no ${STAMP}. If the share has another path on this machine, join with --store PATH.`,
    );
  if (idIn(stamp.body) !== clusterId)
    throw fault(`The folder ${place} is the store of another cluster; give each cluster a folder of its own.`);
  return store;
}

function idIn(body: Buffer): unknown {
  try {
    return (JSON.parse(body.toString()) as { id?: unknown }).id;
  } catch {
    return null;
  }
}

function fault(sentence: string): ConfigurationError {
  return new ConfigurationError(sentence, [sentence]);
}

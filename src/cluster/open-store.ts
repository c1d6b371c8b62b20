import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openS3Store } from '../cloud/aws/load-aws.ts';
import { FolderStore } from '../cloud/object-store/folder-store.ts';
import type { ObjectStore } from '../cloud/object-store/object-store.ts';
import { cloudVariables } from '../config/environment.ts';
import { codeOf, ConfigurationError } from '../domain/errors.ts';
import type { Logger } from '../observability/log-entry.ts';

/** Object that says to which cluster a store belongs. */
const STAMP = 'cluster.json';

const S3 = 's3://';

/** How often a worker looks whether the coordinator has begun to use the store. */
const LOOK_EVERY_MS = 500;

/** A store that no cluster uses yet, or that is not the one which the other machines see. */
class UnusedStoreError extends ConfigurationError {}

/**
 * Opens the store of a cluster and checks that it is the same one on every machine.
 *
 * @param clusterId ID of the cluster in its database
 * @param mayStamp whether an empty store may be given to this cluster, as the coordinator does
 * @throws ConfigurationError if it is missing, or belongs to no or another cluster
 */
export async function openStore(place: string, clusterId: string, mayStamp: boolean): Promise<ObjectStore> {
  const store = await storeAt(place);
  let stamp = await store.get(STAMP);
  if (stamp === undefined && mayStamp) {
    await store.put(STAMP, JSON.stringify({ id: clusterId }), { ifNoneMatch: '*' }).catch(() => undefined);
    stamp = await store.get(STAMP);
  }
  if (stamp === undefined) throw new UnusedStoreError(unused(place), [unused(place)]);
  if (idIn(stamp.body) !== clusterId)
    throw fault(`${place} is the store of another cluster; give each cluster a store of its own.`);
  return store;
}

/**
 * Opens the store of a cluster as a worker does: one that starts before the first job of the cluster waits until the coordinator
 * uses the store.
 *
 * @throws what `openStore` throws for a store that is missing or belongs to another cluster; the reason of the signal
 */
export async function waitForStore(
  place: string,
  clusterId: string,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<ObjectStore> {
  for (let looks = 0; ; looks++) {
    signal.throwIfAborted();
    try {
      return await openStore(place, clusterId, false);
    } catch (error) {
      if (!(error instanceof UnusedStoreError)) throw error;
      if (looks === 0) log.info(`${error.message} Waiting until the daemon of the cluster uses it.`);
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** How the store is named in settings and tokens: a bucket as it is, a folder by its absolute path. */
export function storePlace(text: string): string {
  return text.startsWith(S3) ? text : resolve(text);
}

async function storeAt(place: string): Promise<ObjectStore> {
  if (place === '')
    throw fault('cluster.store is not set; set it to a folder that all machines share, or to s3://BUCKET.');
  if (place.startsWith(S3)) return openS3Store(place.slice(S3.length), cloudVariables().endpoint);
  if (!isAbsolute(place))
    throw fault(
      `The cluster store ${place} is no absolute path; set cluster.store to a folder that all machines share, or to s3://BUCKET.`,
    );
  try {
    if (!(await stat(place)).isDirectory()) throw fault(`The cluster store ${place} is not a folder.`);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw fault(
      `The cluster store ${place} cannot be opened (${codeOf(error)}); mount the share that holds it.`,
    );
  }
  return new FolderStore(place);
}

function unused(place: string): string {
  return `No cluster uses the store ${place} yet: it has no ${STAMP}. If the share is mounted at a different path on this machine, pass that path with --store.`;
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

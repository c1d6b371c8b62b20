import type { ObjectStore } from '../../cloud/object-store/object-store.ts';
import { InputRejectedError } from '../../domain/errors.ts';
import type { JobContext } from '../../job/job-context.ts';
import { assertUnchanged } from '../../job/prepare/assert-unchanged.ts';
import type { PreparedJob } from '../../job/prepare/prepared-job.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import { indexKey, sourceKey, type VideoSetup } from '../protocol.ts';

/**
 * Puts the source and the frame index into the store. The index goes last, so where it is, the source is there and was not
 * changed while it was copied; an earlier coordinator that was killed before that leaves no index.
 *
 * @throws InputRejectedError SOURCE_CHANGED if the source was changed meanwhile; its copy is removed
 */
export async function uploadSource(
  { job, signal }: Pick<JobContext, 'job' | 'signal'>,
  store: ObjectStore,
  { key, name, sourceSha256 }: VideoSetup,
  { media }: Pick<PreparedJob, 'media'>,
  folder: Pick<JobFolder, 'indexFile'>,
): Promise<void> {
  if ((await store.head(indexKey(key))) !== undefined) return;
  await store.putFile(sourceKey(key), media.path, { signal });
  if ((await sha256File(media.path, signal)) !== sourceSha256) {
    await store.delete(sourceKey(key));
    await assertUnchanged(job, signal);
    throw new InputRejectedError('SOURCE_CHANGED', `${name} was changed while it was copied to the cluster.`);
  }
  await store.putFile(indexKey(key), folder.indexFile, { signal });
}

import { rm } from 'node:fs/promises';
import { sha256File } from '../../lib/sha256-file.ts';
import type { JobState, StoredRow } from '../state/job-state.ts';
import type { CloudContext } from './cloud-context.ts';
import type { LocalJob } from './local-job.ts';
import type { MessageHold } from './message-hold.ts';

/**
 * Fetches what other workers have done. A row without its segment stays in the store until the row of this worker replaces it.
 *
 * @returns the intact checkpoints
 */
export async function restoreCheckpoints(
  context: CloudContext,
  state: JobState,
  local: LocalJob,
  hold: MessageHold,
): Promise<StoredRow[]> {
  const plan = await state.plan();
  if (plan === null) return [];
  const store = context.bucket(context.rules.bucket);
  await local.folder.create();
  await store.getFile(state.key('frames.index'), local.folder.indexFile, hold.transfer);
  const intact: StoredRow[] = [];
  for (const row of await state.rows()) {
    hold.signal.throwIfAborted();
    const path = local.folder.segmentPath(row.segmentName);
    const isThere = (await store.head(row.segmentKey)) !== undefined;
    if (isThere) await store.getFile(row.segmentKey, path, hold.transfer);
    if (isThere && (await sha256File(path, hold.signal)) === row.segmentSha256) intact.push(row);
    else {
      context.log.warn(
        `the segment of batch ${row.number} in the bucket is missing or damaged; processing it again`,
      );
      await rm(path, { force: true });
    }
    hold.moved();
  }
  local.restore({ ...plan, rows: intact });
  return intact;
}

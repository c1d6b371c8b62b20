import { setTimeout as delay } from 'node:timers/promises';
import { sharePending } from '../../lib/share-pending.ts';
import { freeBytesOrNull } from '../../workspace/free-bytes.ts';

const PATIENCE_MS = 2_000;
const requests = new Map<string, () => Promise<number | null>>();

/**
 * Free bytes of the file system of a folder, to show them; null if unknown. A dead network share does not answer, and each
 * request would hold a thread of this process, so there is one request at a time for each folder.
 */
export function freeSpace(folder: string): Promise<number | null> {
  const request = requests.get(folder) ?? sharePending(() => freeBytesOrNull(folder).catch(() => null));
  requests.set(folder, request);
  return Promise.race([request(), delay(PATIENCE_MS, null, { ref: false })]);
}

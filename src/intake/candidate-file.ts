import { basename } from 'node:path';
import type { Place } from '../lib/byte-name.ts';

/** Names of files that another program is still writing. */
const UNFINISHED = /(\.(part|partial|crdownload|download|tmp|temp|!ut|!qb|aria2|opdownload)|~)$/i;

/** Suffix of the sidecar file that holds the recipe of a video. */
export const SIDECAR_SUFFIX = '.recipe.yaml';

/** Names of files that operating systems leave in folders. */
const SYSTEM_FILE = /^(thumbs\.db|desktop\.ini)$/i;

/**
 * Whether a file is probed, whatever its extension. Hidden names are skipped because they are often temporary: rsync
 * writes `.clip.mp4.XXXXXX`, and Framekiln does the same.
 */
export function isCandidate(path: string): boolean {
  const name = basename(path);
  return (
    ![/^\./, UNFINISHED, SYSTEM_FILE].some((other) => other.test(name)) && !name.endsWith(SIDECAR_SUFFIX)
  );
}

/** The sidecar file of a file, next to it. */
export function sidecarOf(place: Place): Place {
  return typeof place === 'string'
    ? place + SIDECAR_SUFFIX
    : Buffer.concat([place, Buffer.from(SIDECAR_SUFFIX)]);
}

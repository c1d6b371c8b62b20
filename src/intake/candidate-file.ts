import { basename, extname } from 'node:path';

const VIDEO_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    'mp4 m4v f4v mov insv mkv mk3d webm avi ts m2t mts m2ts mpg mpeg ps m2v vob mod tod flv 3gp 3gpp 3g2 wmv asf gif apng ' +
    'ogg ogv ogm mxf y4m dv rm rmvb divx ivf nut 264 h264 avc 265 h265 hevc obu'
  )
    .split(' ')
    .map((extension) => `.${extension}`),
);

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

/** Whether the extension promises a video. Such a file may still be growing if it cannot be read as one. */
export function hasVideoExtension(path: string): boolean {
  return VIDEO_EXTENSIONS.has(extname(path).toLowerCase());
}

import { basename, extname } from 'node:path';

const VIDEO_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    'mp4 m4v mov mkv webm avi ts mts m2ts mpg mpeg ps m2v vob flv 3gp 3g2 wmv asf gif apng ogg ogv ogm mxf y4m dv rm rmvb ' +
    'divx ivf nut 264 h264 avc 265 h265 hevc obu'
  )
    .split(' ')
    .map((extension) => `.${extension}`),
);

/** Names of files that another program is still writing. */
const UNFINISHED = /(\.(part|partial|crdownload|download|tmp|temp|!ut|!qb|aria2|opdownload)|~)$/i;

/** Suffix of the sidecar file that holds the recipe of a video. */
export const SIDECAR_SUFFIX = '.recipe.yaml';

/**
 * Whether a file may be a video, judged by its name; probing decides. Hidden names are skipped because they are often
 * temporary: rsync writes `.clip.mp4.XXXXXX`, and Framekiln does the same.
 */
export function isCandidate(path: string): boolean {
  const name = basename(path);
  if (name.startsWith('.') || UNFINISHED.test(name)) return false;
  return VIDEO_EXTENSIONS.has(extname(name).toLowerCase());
}

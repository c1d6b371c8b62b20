import { basename, extname } from 'node:path';

const VIDEO_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    'mp4 m4v mov mkv webm avi ts mts m2ts mpg mpeg ps m2v vob flv 3gp 3g2 wmv asf gif apng ogg ogv ogm mxf y4m dv rm rmvb ' +
    'divx ivf nut 264 h264 avc 265 h265 hevc obu'
  )
    .split(' ')
    .map((extension) => `.${extension}`),
);

/** Endings of files that another program is still writing. */
const UNFINISHED = /(\.(part|partial|crdownload|download|tmp|temp|!ut|!qb|aria2|opdownload)|~)$/i;

/** What stands beside a video and says what to do with it. */
export const SIDECAR_SUFFIX = '.recipe.yaml';

/**
 * Whether a file is looked at, by its name alone; what it really is, probing tells. Hidden names are somebody's
 * temporary ones: rsync writes `.clip.mp4.XXXXXX`, and so do we.
 */
export function isCandidate(path: string): boolean {
  const name = basename(path);
  if (name.startsWith('.') || UNFINISHED.test(name)) return false;
  return VIDEO_EXTENSIONS.has(extname(name).toLowerCase());
}

import { extname } from 'node:path';

const VIDEO_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    'mp4 m4v f4v mov insv mkv mk3d webm avi ts m2t mts m2ts mpg mpeg ps m2v vob mod tod flv 3gp 3gpp 3g2 wmv asf gif apng ' +
    'ogg ogv ogm mxf y4m dv rm rmvb divx ivf nut 264 h264 avc 265 h265 hevc obu'
  )
    .split(' ')
    .map((extension) => `.${extension}`),
);

/** Whether the extension promises a video. Such a file may still be growing if it cannot be read as one. */
export function hasVideoExtension(path: string): boolean {
  return VIDEO_EXTENSIONS.has(extname(path).toLowerCase());
}

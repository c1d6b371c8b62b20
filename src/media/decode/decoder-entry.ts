import type { MediaInfo } from '../../domain/media-info.ts';
import type { HashedFrame } from '../index/frame-hash-lines.ts';
import type { FrameIndex } from '../index/frame-index.ts';

/** Elementary streams have no seek index: they are always decoded from the start. */
const UNSEEKABLE = /^(h264|hevc|m4v|mpegvideo|h263|vc1|obu|yuv4mpegpipe|dv)$/;

/** A seek aims this far before the wanted frame: there is nearly always a keyframe, and two seconds decode quickly. */
const SEEK_MARGIN_SECONDS = 2;

/** How a decoder reaches a frame: by a seek, from the start of the file, or from the start without comparing images. */
export type Approach = 'seek' | 'from-start' | 'from-start-lenient';

/** Where decoding starts, and which of its frames precede the first wanted frame. */
export interface EntryPoint {
  /** Options of ffmpeg before `-i`. */
  readonly seek: readonly string[];
  /** Filter that drops the frames before the first wanted frame. */
  readonly select: string;
  /** Whether a frame precedes the first wanted frame. Called once for each frame, in order. */
  readonly isBefore: (frame: HashedFrame) => boolean;
}

/** Whether a source has timestamps to seek to. */
export function isSeekable({ container }: Pick<MediaInfo, 'container'>): boolean {
  return !UNSEEKABLE.test(container);
}

/**
 * Determines where decoding starts.
 *
 * @param first number of the first wanted frame
 */
export function entryPoint(
  source: Pick<MediaInfo, 'startSeconds'>,
  index: Pick<FrameIndex, 'timeBase' | 'pts'>,
  first: number,
  approach: Approach,
): EntryPoint {
  const { num, den } = index.timeBase;
  const pts = index.pts[first] ?? 0;
  const byTime = {
    select: `select=gte(pts\\,${pts})`,
    isBefore: (frame: HashedFrame) => !(frame.pts >= pts),
  };
  if (approach === 'seek') {
    const seconds = Math.max(0, (pts * num) / den - source.startSeconds - SEEK_MARGIN_SECONDS);
    return { seek: ['-noaccurate_seek', '-ss', seconds.toFixed(6)], ...byTime };
  }
  if (first === 0) return { seek: [], select: 'null', isBefore: () => false };
  // By timestamp where possible, because ffmpeg counts frames from 0 again after a change of resolution.
  if (index.pts.every((other, frame) => (frame < first ? other < pts : other >= pts)))
    return { seek: [], ...byTime };
  let passed = 0;
  return { seek: [], select: `select=gte(n\\,${first})`, isBefore: () => passed++ < first };
}

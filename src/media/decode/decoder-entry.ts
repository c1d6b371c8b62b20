import type { MediaInfo } from '../../domain/media-info.ts';
import type { HashedFrame } from '../index/frame-hash-lines.ts';
import type { FrameIndex } from '../index/frame-index.ts';

/** Elementary streams have no index to seek in: they are always decoded from their beginning. */
const UNSEEKABLE = /^(h264|hevc|m4v|mpegvideo|h263|vc1|obu|yuv4mpegpipe|dv)$/;

/** Seek so far before the wanted frame: a keyframe is nearly always within reach, and decoding two seconds is cheap. */
const SEEK_MARGIN_SECONDS = 2;

/** Where a decoder begins: after a seek, at the start of the file, or there without insisting on equal images. */
export type Approach = 'seek' | 'from-start' | 'from-start-lenient';

/** Where decoding begins, and how the frames before the wanted one are known. */
export interface EntryPoint {
  readonly seek: readonly string[];
  /** Filter that leaves them out. */
  readonly select: string;
  readonly isBefore: (frame: HashedFrame) => boolean;
}

export function isSeekable({ container }: Pick<MediaInfo, 'container'>): boolean {
  return !UNSEEKABLE.test(container);
}

/** @param first number of the first wanted frame */
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
  // Not by number where time tells it: a change of resolution makes ffmpeg count anew from 0.
  if (index.pts.every((other, frame) => (frame < first ? other < pts : other >= pts)))
    return { seek: [], ...byTime };
  let passed = 0;
  return { seek: [], select: `select=gte(n\\,${first})`, isBefore: () => passed++ < first };
}

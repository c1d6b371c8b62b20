import type { MediaInfo } from '../../domain/media-info.ts';
import type { FrameIndex } from '../../media/index/frame-index.ts';
import type { SourceTimeline } from '../../media/index/source-timeline.ts';
import type { SourceCycle } from '../../pipelines/lip-sync/source-cycle.ts';

export interface PreparedSource {
  /** Headers of the source, of its remuxed copy where its timestamps are discontinuous, or of the video of a sequence. */
  readonly media: MediaInfo;
  /** The discontinuities of the source, whose copy on one continuous timeline is used instead; null if it has none. */
  readonly timeline: SourceTimeline | null;
  readonly index: FrameIndex;
  /** The source itself, if the job reads another video with other frames: that of a lip-sync job. */
  readonly original?: Pick<PreparedSource, 'media' | 'timeline' | 'index'>;
  /** How the video of a lip-sync job repeats the source. Absent for other jobs. */
  readonly cycle?: SourceCycle;
  /** Whether the video of a lip-sync job was made before its speech was complete. */
  readonly isAhead?: boolean;
}

/** Frames that the first pass looks at: those that the source has, without repetitions. */
export function framesToAnalyse({ index, cycle }: Pick<PreparedSource, 'index' | 'cycle'>): number {
  return Math.min(index.pts.length, cycle?.ownFrames ?? Infinity);
}

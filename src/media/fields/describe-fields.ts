import type { MediaInfo } from '../../domain/media-info.ts';
import type { FrameIndex } from '../index/frame-index.ts';
import { interlacedCount } from './field-plan.ts';
import { FieldReader } from './read-fields.ts';

const ORDER_NAMES = { tff: 'top field first', bff: 'bottom field first' } as const;

/** Describes how the fields of a source were taken and what is done about it: sentences without a full stop. */
export function describeFields(media: MediaInfo, { fields, pts }: FrameIndex): string[] {
  const { treatment, runs, pulldown, markedCount } = fields;
  const total = pts.length;
  if (pulldown === 'soft')
    return ['soft telecine (3:2 pulldown flags): film frames kept, each at its original time'];
  if (treatment === 'none') {
    if (markedCount === 0 && !media.video.interlaced) return [];
    return [
      FieldReader.for(media) === null
        ? 'marked as interlaced, but videos of this pixel format, size or rotation are not deinterlaced: left unchanged'
        : 'marked as interlaced, but no interlaced frames found: left unchanged',
    ];
  }
  const count = interlacedCount(fields);
  const share = count === total ? 100 : Math.min(99, Math.max(1, Math.round((100 * count) / total)));
  const orders = [...new Set(runs.map(({ order }) => ORDER_NAMES[order]))].join(', in parts ');
  if (treatment === 'match-fields')
    return [
      `hard telecine (3:2 pulldown, ${share} % of the frames, ${orders}): film frames restored by field matching, the repeated ones kept`,
    ];
  const film = pulldown === 'hard' ? '; parts are telecined film (3:2 pulldown), deinterlaced as well' : '';
  return [`${count} of ${total} frames (${share} %) interlaced, ${orders}: deinterlaced${film}`];
}

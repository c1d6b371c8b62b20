import { InputRejectedError, type RejectionCode } from './errors.ts';

/** A file that may be incomplete must stay unchanged for this many times the settling time. */
const SECOND_LOOK_FACTOR = 12;

/** How long a file that may be incomplete must stay unchanged before it is taken or rejected. */
export function secondLookMs(settleMs: number): number {
  return SECOND_LOOK_FACTOR * settleMs;
}

/** Rejections for what is in a file, which the rest of a copy in progress may change. */
const FOR_CONTENT: ReadonlySet<RejectionCode> = new Set<RejectionCode>([
  'EMPTY_FILE',
  'NOT_A_VIDEO',
  'NO_VIDEO_STREAM',
  'UNSUPPORTED_CODEC',
  'UNSUPPORTED_COLOR',
  'ENCRYPTED',
  'NO_DECODABLE_FRAME',
  'BAD_SEQUENCE',
  'DAMAGED',
  'TIMESTAMP_DISCONTINUITY',
  'LIMIT_EXCEEDED',
  'NO_AUDIO',
]);

/** Whether a file is rejected for its content, and not for its name, its recipe or its output. */
export function isRejectedForContent(error: unknown): error is InputRejectedError {
  return error instanceof InputRejectedError && FOR_CONTENT.has(error.code);
}

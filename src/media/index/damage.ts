import { basename } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { counted } from '../../lib/counted.ts';
import type { FrameIndex } from './frame-index.ts';
import { MIN_BYTES_PER_SECOND } from '../probe/probe-media.ts';

/**
 * Losses up to these limits are not damage: hidden frames of VP8, frames before the start of an edit list, rounded
 * durations.
 */
const TOLERATED_SHARE = 0.02;
const TOLERATED_SECONDS = 0.5;

/** How much of a source can be decoded. */
export interface Damage {
  /** Share that can be decoded, 0 to 1: of the packets or of the duration in the header, whichever is lower. */
  readonly share: number;
  /** Description of the damage as a clause; null if there is none. */
  readonly sentence: string | null;
}

/** Compares the frames that were decoded with what the container contains. */
export function assessDamage(source: MediaInfo, index: FrameIndex): Damage {
  const { num, den } = index.timeBase;
  const seconds = (pts: number): number => (pts * num) / den;
  const end = seconds((index.pts.at(-1) ?? 0) + index.lastDuration);
  const decoded = end - Math.min(source.startSeconds, seconds(index.pts[0] ?? 0));
  const claimed = plausibleDuration(source);
  const ofPackets = Math.min(1, index.pts.length / Math.max(1, index.packetCount));
  const ofLength = claimed === null ? 1 : Math.min(1, decoded / claimed);
  const lost: string[] = [];
  if (1 - ofPackets > TOLERATED_SHARE && index.decoderErrorCount > 0)
    lost.push(`only ${index.pts.length} of ${index.packetCount} frames can be decoded`);
  if (claimed !== null && 1 - ofLength > TOLERATED_SHARE && claimed - decoded > TOLERATED_SECONDS)
    lost.push(`the video ends after ${decoded.toFixed(1)} s instead of ${claimed.toFixed(1)} s`);
  if (index.decoderErrorCount > 0)
    lost.push(`the decoder reported ${counted(index.decoderErrorCount, 'error')}`);
  return {
    share: Math.min(index.decoderErrorCount > 0 ? ofPackets : 1, ofLength),
    sentence: lost.length === 0 ? null : lost.join('; '),
  };
}

/** @throws InputRejectedError `DAMAGED` if less than `minShare` (0 to 1) of the source can be decoded */
export function assertDecodable(source: MediaInfo, { share, sentence }: Damage, minShare: number): void {
  if (share >= minShare) return;
  const percent = (part: number): string => `${Math.floor(part * 100 + 1e-9)} %`;
  const why = sentence === null ? '' : ` (${sentence})`;
  throw new InputRejectedError(
    'DAMAGED',
    `${basename(source.path)} is too damaged${why}: ${percent(share)} can be decoded, but limits.decodableShare requires ${percent(minShare)}.`,
  );
}

/** Duration of the video stream, or of a file without other streams; null if it is missing or not plausible. */
function plausibleDuration({ video, others, durationSeconds, bytes }: MediaInfo): number | null {
  const claimed = video.durationSeconds ?? (others.length === 0 ? durationSeconds : null);
  return claimed === null || claimed <= 0 || bytes < claimed * MIN_BYTES_PER_SECOND ? null : claimed;
}

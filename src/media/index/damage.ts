import { basename } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import type { FrameIndex } from './frame-index.ts';
import { LEAST_BYTES_PER_SECOND } from '../probe/probe-media.ts';

/** Less than this is no damage: hidden frames of VP8, frames before an edit list, a rounded length. */
const UNREMARKABLE_LOSS = 0.02;
const UNREMARKABLE_SECONDS = 0.5;

/** How much of the source decodes. */
export interface Damage {
  /** 0 to 1: of the packets, or of the length that the header claims, whichever is less. */
  readonly share: number;
  /** null where nothing is wrong. */
  readonly sentence: string | null;
}

/** Holds what was decoded against what the file says it has. */
export function assessDamage(source: MediaInfo, index: FrameIndex): Damage {
  const { num, den } = index.timeBase;
  const seconds = (pts: number): number => (pts * num) / den;
  const end = seconds((index.pts.at(-1) ?? 0) + index.lastDuration);
  const decoded = end - Math.min(source.startSeconds, seconds(index.pts[0] ?? 0));
  const claimed = believableDuration(source);
  const ofPackets = Math.min(1, index.pts.length / Math.max(1, index.packetCount));
  const ofLength = claimed === null ? 1 : Math.min(1, decoded / claimed);
  const lost: string[] = [];
  if (1 - ofPackets > UNREMARKABLE_LOSS && index.complaintCount > 0)
    lost.push(`${index.pts.length} of ${index.packetCount} images decode`);
  if (claimed !== null && 1 - ofLength > UNREMARKABLE_LOSS && claimed - decoded > UNREMARKABLE_SECONDS)
    lost.push(`it ends after ${decoded.toFixed(1)} of the ${claimed.toFixed(1)} s that its header claims`);
  if (index.complaintCount > 0) lost.push(`its decoder complained in ${index.complaintCount} lines`);
  return {
    share: Math.min(index.complaintCount > 0 ? ofPackets : 1, ofLength),
    sentence: lost.length === 0 ? null : `the source is damaged: ${lost.join('; ')}`,
  };
}

/** @throws InputRejectedError DAMAGED when less than `least` (0 to 1) of the source decodes */
export function assertDecodable(source: MediaInfo, { share, sentence }: Damage, least: number): void {
  if (share >= least) return;
  const percent = (part: number): string => `${Math.floor(part * 100)} %`;
  throw new InputRejectedError(
    'DAMAGED',
    `Only ${percent(share)} of ${basename(source.path)} can be decoded, less than the ${percent(least)} asked for (limits.decodableShare): ${sentence ?? ''}.`,
  );
}

/** The video's own length, or the file's where nothing else is in it; null where nobody says, or not credibly. */
function believableDuration({ video, others, durationSeconds, bytes }: MediaInfo): number | null {
  const claimed = video.durationSeconds ?? (others.length === 0 ? durationSeconds : null);
  return claimed === null || claimed <= 0 || bytes < claimed * LEAST_BYTES_PER_SECOND ? null : claimed;
}

import type { MediaInfo } from '../../domain/media-info.ts';
import { whyUnfinished } from '../../intake/container-end.ts';
import { claimedEndSeconds } from '../probe/claimed-end.ts';
import type { HashedFrame } from './frame-hash-lines.ts';

/** What reading a source to its end has shown about its last frame. */
export interface SourceEnd {
  /** The last frame in display order. */
  readonly lastFrame: HashedFrame;
  /** The packet with the latest timestamp; null if no packet has one. */
  readonly latestPacket: HashedFrame | null;
  /** Whether the decoder reported no errors. */
  readonly isIntact: boolean;
}

/** An end in the header that is later than that of the last packet by no more than this is only rounded. */
const ROUNDING_SECONDS = 0.0015;

/**
 * Seconds for which a source shows its last frame: the duration of its packet or, in a container that is closed and of
 * which nothing is missing, the time until the end in its header. MP4 stores no duration of the last frame when other
 * frames follow it in coded order, and Matroska hardly ever does. 0 if nothing is known.
 *
 * @param maxSeconds length of the longest video that is accepted; a later end in the header is not believed
 */
export async function lastFrameSeconds(
  source: MediaInfo,
  { lastFrame, latestPacket, isIntact }: SourceEnd,
  maxSeconds: number,
): Promise<number> {
  const at = seconds(lastFrame, lastFrame.pts);
  const isLatest = latestPacket !== null && seconds(latestPacket, latestPacket.pts) <= at;
  const ofPacket = isLatest && seconds(latestPacket, latestPacket.pts) === at ? latestPacket : lastFrame;
  const duration = Math.max(0, seconds(ofPacket, ofPacket.duration));
  const claimed = claimedEndSeconds(source);
  if (claimed === null || claimed > maxSeconds || claimed - at - duration <= ROUNDING_SECONDS)
    return duration;
  const isWhole = isIntact && isLatest && (await whyUnfinished(source.path)) === null;
  return isWhole ? claimed - at : duration;
}

function seconds({ timeBase: { num, den } }: HashedFrame, ticks: number): number {
  return (ticks * num) / den;
}

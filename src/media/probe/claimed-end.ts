import type { MediaInfo } from '../../domain/media-info.ts';

/**
 * The time in seconds at which the last frame of the main video disappears according to the header, on the clock of its
 * timestamps; null if the header does not say it.
 */
export function claimedEndSeconds(source: MediaInfo): number | null {
  const { container, video, others, durationSeconds, startSeconds } = source;
  const claimed = video.durationSeconds ?? (others.length === 0 ? durationSeconds : null);
  if (claimed === null || claimed <= 0) return null;
  // Matroska stores when a track ends, other containers how long it lasts.
  if (!container.includes('matroska')) return (video.startSeconds ?? startSeconds) + claimed;
  return Math.min(claimed, durationSeconds ?? claimed);
}

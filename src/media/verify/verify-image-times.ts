import type { MediaInfo } from '../../domain/media-info.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import type { PacketTimes } from '../index/packet-times.ts';

/** Largest accepted distance between a frame and its packet, in seconds: one frame of film. */
const MAX_DISTANCE_SECONDS = 0.042;

/**
 * Compares the planned times of all frames with the packet times of the source as the user gave it. The plan is made from
 * what ffmpeg decodes, or from a copy; if either moved frames against the audio, this shows it.
 *
 * @param packets times of the packets of the main video; undefined if none has one
 * @returns faults, as ends of a sentence that starts with the name of the file
 */
export function imageTimeFaults(
  { container, startSeconds }: MediaInfo,
  timing: OutputTiming,
  packets: PacketTimes | undefined,
): string[] {
  // In other containers an edit list may move frames, or packets have no timestamps.
  if (container !== 'mpegts' || packets === undefined) return [];
  const sorted = Float64Array.from(packets.all).sort();
  // Where packets yielded no frame, it is not known which ones.
  const isComplete = sorted.length === timing.pts.length;
  for (const [frame, ticks] of timing.pts.entries()) {
    // Moved to one tick after the frame before, because its timestamp does not increase.
    if (ticks - (timing.pts[frame - 1] ?? -Infinity) <= 1) continue;
    const at = startSeconds + ticks / timing.timescale;
    const was = isComplete ? (sorted[frame] ?? NaN) : nearest(sorted, at);
    if (Math.abs(at - was) > MAX_DISTANCE_SECONDS)
      return [`has frame ${frame} at ${at.toFixed(3)} s, but the source has it at ${was.toFixed(3)} s`];
  }
  return [];
}

/** The value of a sorted list that is nearest to another one. */
function nearest(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  const [below, above] = [sorted[low - 1] ?? -Infinity, sorted[low] ?? Infinity];
  return value - below < above - value ? below : above;
}

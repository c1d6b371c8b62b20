import type { MediaInfo } from '../domain/media-info.ts';
import type { OutputTiming } from './output-timing.ts';
import { readPacketTimes, type PacketTimes } from './packet-times.ts';
import type { StreamPlan } from './stream-plan.ts';

/** Sound and picture may be so far apart, compared with the source, in seconds (E5). */
const LARGEST_DRIFT = 0.04;

/**
 * Holds the sound of the finished file against the source's: every copied track begins and ends beside the same
 * picture as it did.
 *
 * @param firstFrameSeconds when the finished file's first frame is shown, on its own clock
 * @returns a fault for each track that does not
 */
export async function soundFaults(
  source: MediaInfo,
  result: MediaInfo,
  { plan, timing, firstFrameSeconds }: { plan: StreamPlan; timing: OutputTiming; firstFrameSeconds: number },
  signal?: AbortSignal,
): Promise<string[]> {
  const tracks = plan.fates.filter(({ stream, codec }) => stream.kind === 'audio' && codec === 'copy');
  if (tracks.length === 0) return [];
  const before = await readPacketTimes(source.path, 'reading the sound of the source', signal);
  const after = await readPacketTimes(result.path, 'reading the sound of the finished file', signal);
  const places = result.others.filter((stream) => stream.kind === 'audio').map((stream) => stream.index);
  const kept = plan.fates.filter(({ stream, codec }) => stream.kind === 'audio' && codec !== null);
  const pictureBefore = source.startSeconds + (timing.pts[0] ?? 0) / timing.timescale;
  return tracks.flatMap((track) => {
    const was = before.get(track.stream.index);
    const is = after.get(places[kept.indexOf(track)] ?? -1);
    if (was === undefined) return []; // A track without a packet is no sound that could be lost.
    const fault = whyDrifting(was, is, pictureBefore, firstFrameSeconds);
    return fault === null ? [] : [`audio track ${track.stream.index} ${fault}`];
  });
}

/** Compares times from each file's first picture on. */
export function whyDrifting(
  was: PacketTimes,
  is: PacketTimes | undefined,
  pictureBefore: number,
  pictureAfter: number,
): string | null {
  if (is === undefined) return 'is empty';
  for (const end of ['first', 'last'] as const) {
    const drift = is[end] - pictureAfter - (was[end] - pictureBefore);
    if (Math.abs(drift) <= LARGEST_DRIFT) continue;
    const how = end === 'first' ? 'begins' : 'ends';
    return `${how} ${Math.round(Math.abs(drift) * 1000)} ms too ${drift < 0 ? 'early' : 'late'}`;
  }
  return null;
}

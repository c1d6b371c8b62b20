import type { MediaInfo } from '../../domain/media-info.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import { readPacketTimes } from '../index/packet-times.ts';
import type { StreamPlan } from '../join/stream-plan.ts';

/** Audio and image may be so far apart, compared with the source, in seconds (E5). */
const LARGEST_DRIFT = 0.04;

/** A copied track that does not stand where it did. */
export interface AudioFault {
  readonly sentence: string;
  readonly index: number;
  /** Seconds that would bring the whole track back; where its ends are not off by the same, how they are off. */
  readonly shift: number | string;
}

/**
 * Holds the audio of the finished file against the source's: every copied track begins and ends beside the same
 * image as it did.
 *
 * @param firstFrameSeconds when the finished file's first frame is shown, on its own clock
 * @returns a fault for each track that does not
 */
export async function audioFaults(
  source: MediaInfo,
  result: MediaInfo,
  { plan, timing, firstFrameSeconds }: { plan: StreamPlan; timing: OutputTiming; firstFrameSeconds: number },
  signal?: AbortSignal,
): Promise<AudioFault[]> {
  const tracks = plan.fates.filter(({ stream, codec }) => stream.kind === 'audio' && codec === 'copy');
  if (tracks.length === 0) return [];
  const before = await readPacketTimes(source.path, 'reading the audio of the source', signal);
  const after = await readPacketTimes(result.path, 'reading the audio of the finished file', signal);
  const places = result.others.filter((stream) => stream.kind === 'audio').map((stream) => stream.index);
  const kept = plan.fates.filter(({ stream, codec }) => stream.kind === 'audio' && codec !== null);
  const imageBefore = source.startSeconds + (timing.pts[0] ?? 0) / timing.timescale;
  return tracks.flatMap((track) => {
    const { index } = track.stream;
    const was = before.get(index);
    const is = after.get(places[kept.indexOf(track)] ?? -1);
    if (was === undefined) return []; // A track without a packet is no audio that could be lost.
    if (is === undefined)
      return [{ sentence: `audio track ${index} is empty`, index, shift: 'nothing of it is left' }];
    const imageMoved = firstFrameSeconds - imageBefore;
    const drift = { first: is.first - was.first - imageMoved, last: is.last - was.last - imageMoved };
    const how = whyDrifting(drift);
    if (how === null) return [];
    const isWhole = Math.abs(drift.first - drift.last) < LARGEST_DRIFT / 2;
    return [{ sentence: `audio track ${index} ${how}`, index, shift: isWhole ? -drift.first : `it ${how}` }];
  });
}

/** @param drift seconds by which a track's ends are too late */
export function whyDrifting(drift: { readonly first: number; readonly last: number }): string | null {
  for (const end of ['first', 'last'] as const) {
    if (Math.abs(drift[end]) <= LARGEST_DRIFT) continue;
    const how = end === 'first' ? 'begins' : 'ends';
    return `${how} ${Math.round(Math.abs(drift[end]) * 1000)} ms too ${drift[end] < 0 ? 'early' : 'late'}`;
  }
  return null;
}

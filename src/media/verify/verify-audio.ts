import type { MediaInfo } from '../../domain/media-info.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import { readPacketTimes } from '../index/packet-times.ts';
import type { StreamPlan } from '../join/stream-plan.ts';

/** Largest accepted change of the audio offset against the source, in seconds. */
const MAX_DRIFT_SECONDS = 0.04;

/** A copied audio track that is out of sync. */
export interface AudioFault {
  /** Description, as the end of a sentence that starts with the name of the file. */
  readonly sentence: string;
  /** Index of the stream in the source. */
  readonly index: number;
  /** Seconds by which to move the whole track; the reason if moving it does not help. */
  readonly shift: number | string;
}

/**
 * Compares the audio of the finished file with that of the source: every kept track must start and end at the same
 * frame as before.
 *
 * @param firstFrameSeconds timestamp of the first frame in the finished file
 * @returns one fault for each track that is out of sync
 */
export async function audioFaults(
  source: MediaInfo,
  result: MediaInfo,
  { plan, timing, firstFrameSeconds }: { plan: StreamPlan; timing: OutputTiming; firstFrameSeconds: number },
  signal?: AbortSignal,
): Promise<AudioFault[]> {
  const kept = plan.fates.filter(({ stream, codec }) => stream.kind === 'audio' && codec !== null);
  if (kept.length === 0) return [];
  const before = await readPacketTimes(source.path, 'reading the audio of the source', signal);
  const after = await readPacketTimes(result.path, 'reading the audio of the finished video', signal);
  const places = result.others.filter((stream) => stream.kind === 'audio').map((stream) => stream.index);
  const imageBefore = source.startSeconds + (timing.pts[0] ?? 0) / timing.timescale;
  return kept.flatMap((track, number) => {
    const { index } = track.stream;
    const was = before.get(index);
    const is = after.get(places[number] ?? -1);
    if (was === undefined) return []; // An empty track in the source has no audio to lose.
    if (is === undefined)
      return [{ sentence: `has no audio in track ${index}`, index, shift: 'empty after joining' }];
    const imageMoved = firstFrameSeconds - imageBefore;
    const drift = { first: is.first - was.first - imageMoved, last: is.last - was.last - imageMoved };
    const how = whyDrifting(drift);
    if (how === null) return [];
    const isConstant = Math.abs(drift.first - drift.last) < MAX_DRIFT_SECONDS / 2;
    return [
      {
        sentence: `plays audio track ${index} out of sync (it ${how})`,
        index,
        shift: isConstant ? -drift.first : how,
      },
    ];
  });
}

/**
 * Describes how far a track is out of sync; null if it is in sync.
 *
 * @param drift seconds by which the start and the end of the track are late
 */
export function whyDrifting(drift: { readonly first: number; readonly last: number }): string | null {
  for (const end of ['first', 'last'] as const) {
    if (Math.abs(drift[end]) <= MAX_DRIFT_SECONDS) continue;
    const how = end === 'first' ? 'starts' : 'ends';
    return `${how} ${Math.round(Math.abs(drift[end]) * 1000)} ms too ${drift[end] < 0 ? 'early' : 'late'}`;
  }
  return null;
}

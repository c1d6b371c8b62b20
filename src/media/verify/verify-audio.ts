import type { MediaInfo } from '../../domain/media-info.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import { packetTimes, readPacketTimes, type PacketTimes } from '../index/packet-times.ts';
import { hidesPackets } from '../join/matroska-tracks.ts';
import type { StreamPlan } from '../join/stream-plan.ts';

/** Largest accepted change of the audio offset against the source, in seconds. */
const MAX_DRIFT_SECONDS = 0.04;
/** The same between the ends of a track, where muxers move single packets whose timestamps do not increase. */
const MAX_INNER_DRIFT_SECONDS = 0.5;

const HIDDEN_PARTS = 'its edit list hides parts of the audio, and ffmpeg cannot write such a list';

/** A copied audio track that is out of sync. */
export interface AudioFault {
  /** Description, as the end of a sentence that starts with the name of the file. */
  readonly sentence: string;
  /** Index of the stream in the source. */
  readonly index: number;
  /** Seconds by which to move the whole track; the reason if moving it does not help. */
  readonly shift: number | string;
}

/** What audio is compared with. */
export interface ExpectedAudio {
  readonly source: MediaInfo;
  /** Packet times of the source as the user gave it, by stream index. */
  readonly before: ReadonlyMap<number, PacketTimes>;
  readonly plan: StreamPlan;
  readonly timing: OutputTiming;
  /** Timestamp of the first frame in the finished file. */
  readonly firstFrameSeconds: number;
}

/**
 * Compares the audio of the finished file with that of the source as the user gave it: every packet of a kept track must
 * be at the same frame as before.
 *
 * @returns one fault for each track that is out of sync
 */
export async function audioFaults(
  result: MediaInfo,
  { source, before, plan, timing, firstFrameSeconds }: ExpectedAudio,
  signal?: AbortSignal,
): Promise<AudioFault[]> {
  const kept = plan.fates.filter(({ stream, codec }) => stream.kind === 'audio' && codec !== null);
  if (kept.length === 0) return [];
  const places = result.others.filter((stream) => stream.kind === 'audio').map((stream) => stream.index);
  const after = await readPacketTimes(result.path, new Set(places), { signal });
  const imageBefore = source.startSeconds + (timing.pts[0] ?? 0) / timing.timescale;
  return kept.flatMap((track, number) => {
    const { index } = track.stream;
    const was = before.get(index);
    let is = after.get(places[number] ?? -1);
    if (was === undefined) return []; // An empty track in the source has no audio to lose.
    if (is === undefined)
      return [{ sentence: `has no audio in track ${index}`, index, shift: 'empty after joining' }];
    // Matroska hides nothing, so the last packet that the source hides before its start may be there too.
    const further = hidesPackets(source) && track.codec === 'copy' ? is.count - was.count : 0;
    if (further > 1)
      return [
        {
          sentence: `plays parts of audio track ${index} that the edit list of the source hides`,
          index,
          shift: HIDDEN_PARTS,
        },
      ];
    if (further === 1) is = packetTimes(is.all.slice(1));
    const drift = driftOf(was, is, firstFrameSeconds - imageBefore);
    const how = whyDrifting(drift);
    if (how === null) return [];
    const isConstant = Math.max(...drift) - Math.min(...drift) < MAX_DRIFT_SECONDS / 2;
    const sentence = `plays audio track ${index} out of sync (it ${how})`;
    return [{ sentence, index, shift: isConstant ? -drift[0] : how }];
  });
}

/** Seconds by which the first and the last packet of a track are late, and where none is missing the worst in between. */
function driftOf(was: PacketTimes, is: PacketTimes, imageMoved: number): [number, number, number] {
  const late = (before: number, after: number): number => after - before - imageMoved;
  let worst = late(was.first, is.first);
  for (let i = 0; was.count === is.count && i < was.count; i++) {
    const drift = late(was.all[i] ?? 0, is.all[i] ?? 0);
    if (Math.abs(drift) > Math.abs(worst)) worst = drift;
  }
  return [late(was.first, is.first), late(was.last, is.last), worst];
}

/**
 * Describes how far a track is out of sync; null if it is in sync.
 *
 * @param drift seconds by which the start, the end and the worst place of the track are late
 */
export function whyDrifting(drift: readonly [first: number, last: number, worst: number]): string | null {
  const off = drift.findIndex(
    (each, i) => Math.abs(each) > (i === 2 ? MAX_INNER_DRIFT_SECONDS : MAX_DRIFT_SECONDS),
  );
  const seconds = drift[off];
  if (seconds === undefined) return null;
  const ms = Math.round(Math.abs(seconds) * 1000);
  const late = seconds < 0 ? 'early' : 'late';
  if (off === 2) return `is up to ${ms} ms ${late} in places`;
  return `${off === 0 ? 'starts' : 'ends'} ${ms} ms too ${late}`;
}

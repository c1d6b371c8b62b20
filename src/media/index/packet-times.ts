import { partOfPacket, readPackets, type SourceTimeline } from './source-timeline.ts';

/** Presentation timestamps in seconds of the packets of a track that have one and are not hidden by an edit list. */
export interface PacketTimes {
  readonly count: number;
  readonly first: number;
  readonly last: number;
  /** All timestamps, in the order of the file. */
  readonly all: readonly number[];
}

export interface PacketTimesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Discontinuities of the file, whose parts are then put one after the other. */
  readonly timeline?: SourceTimeline | null;
}

/** Reads the packet timestamps of tracks of a file, by stream index, without decoding. */
export async function readPacketTimes(
  path: string,
  tracks: ReadonlySet<number>,
  { signal, timeline = null }: PacketTimesOptions = {},
): Promise<ReadonlyMap<number, PacketTimes>> {
  const numbers = new Map<number, number>();
  const times = new Map<number, number[]>();
  for await (const { stream, pts, isHidden } of readPackets({ path }, signal)) {
    const number = numbers.get(stream) ?? 0;
    numbers.set(stream, number + 1);
    if (!tracks.has(stream) || Number.isNaN(pts) || isHidden) continue;
    const shift = timeline === null ? 0 : (partOfPacket(timeline, stream, number)?.shiftSeconds ?? 0);
    const known = times.get(stream);
    if (known === undefined) times.set(stream, [pts + shift]);
    else known.push(pts + shift);
  }
  return new Map([...times].map(([stream, all]) => [stream, packetTimes(all)]));
}

/** Describes the timestamps of a track. */
export function packetTimes(all: readonly number[]): PacketTimes {
  let [first, last] = [Infinity, -Infinity];
  for (const at of all) {
    first = Math.min(first, at);
    last = Math.max(last, at);
  }
  return { count: all.length, first, last, all };
}

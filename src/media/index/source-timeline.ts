import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { MediaInfo } from '../../domain/media-info.ts';
import { inputArguments } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

/** A jump in the clock of a source: the last time before it and the first time after it, in seconds. */
export interface TimestampDiscontinuity {
  readonly at: number;
  readonly to: number;
}

/** A part of a source in which all streams share one continuous clock. */
export interface TimelinePart {
  /** For each stream with packets in the part, by index: the number of the first one among the packets of the stream. */
  readonly firstPackets: ReadonlyMap<number, number>;
  /** Seconds to add to the timestamps of all streams, so that the part follows the part before it. */
  readonly shiftSeconds: number;
}

/** The clock of a source: one part, and another one after each discontinuity. */
export interface SourceTimeline {
  readonly parts: readonly TimelinePart[];
  readonly discontinuities: readonly TimestampDiscontinuity[];
}

/** Containers that allow discontinuities, as in interrupted recordings and files that were concatenated byte for byte. */
const DISCONTINUOUS = new Set(['mpegts', 'mpeg']);

/** Whether the container allows timestamp discontinuities, so that its duration cannot be trusted. */
export function mayBeDiscontinuous({ container }: Pick<MediaInfo, 'container'>): boolean {
  return DISCONTINUOUS.has(container);
}

/** Timestamps within a stream that go back by more than this are on another clock. */
const BACKWARD_SECONDS = 0.1;
/** Streams that share a clock are stored at most this far apart. */
const NEAR_SECONDS = 10;
/** The longest time for which all streams may stall; a longer jump is taken for another clock. */
const LONGEST_STALL_SECONDS = 300;

interface OpenPart {
  readonly firstPackets: Map<number, number>;
  /** First and last timestamp of each stream. */
  readonly first: Map<number, number>;
  readonly last: Map<number, number>;
  /** The latest timestamp of any stream. */
  clock: number;
}

/**
 * Follows the clock of a source while its packets arrive in the order of the file. Audio and video share one clock: a
 * stream that jumps to where another one is, or to a little later while all stall, has a gap. Only a jump to elsewhere is
 * a discontinuity, and the other streams follow with their next packets. Subtitles follow the audio and video beside them.
 */
export class ClockFollower {
  readonly #parts: OpenPart[] = [newPart(-Infinity)];
  readonly #discontinuities: TimestampDiscontinuity[] = [];
  readonly #timed: ReadonlySet<number>;
  /** Number of packets and number of the part, by stream. */
  readonly #packetCounts = new Map<number, number>();
  readonly #partOf = new Map<number, number>();
  /** The usual distance of two packets, by stream. */
  readonly #steps = new Map<number, number>();

  /** @param timed indices of the streams that decide about the clock: audio and video, but not sparse subtitles */
  constructor(timed: ReadonlySet<number>) {
    this.#timed = timed;
  }

  /**
   * Takes the next packet of the file.
   *
   * @param at decoding timestamp in seconds; NaN if the packet has none
   */
  add(stream: number, at: number): void {
    const number = this.#packetCounts.get(stream) ?? 0;
    this.#packetCounts.set(stream, number + 1);
    const before = this.#partOf.get(stream) ?? 0;
    const chosen = Number.isNaN(at) ? before : this.#choosePart(stream, at, before);
    this.#partOf.set(stream, chosen);
    const part = this.#parts[chosen];
    if (part === undefined) return;
    if (!part.firstPackets.has(stream)) part.firstPackets.set(stream, number);
    if (Number.isNaN(at) || !this.#timed.has(stream)) return;
    const last = part.last.get(stream);
    if (last !== undefined && at > last)
      this.#steps.set(stream, Math.min(at - last, this.#steps.get(stream) ?? 1));
    if (!part.first.has(stream)) part.first.set(stream, at);
    part.last.set(stream, at);
    part.clock = Math.max(part.clock, at);
  }

  /** The parts so far, each with the shift that puts it after the one before. */
  timeline(): SourceTimeline {
    let shiftSeconds = 0;
    const parts = this.#parts.map((part, number) => {
      const before = this.#parts[number - 1];
      if (before !== undefined) shiftSeconds += this.#distance(before, part);
      return { firstPackets: part.firstPackets, shiftSeconds };
    });
    return { parts, discontinuities: this.#discontinuities };
  }

  #choosePart(stream: number, at: number, from: number): number {
    if (!this.#timed.has(stream)) return this.#nearestPart(at, from);
    for (let number = from; number < this.#parts.length; number++) {
      if (this.#fits(stream, at, number)) return number;
    }
    const before = this.#parts[from];
    this.#discontinuities.push({ at: before?.last.get(stream) ?? before?.clock ?? NaN, to: at });
    this.#parts.push(newPart(at));
    return this.#parts.length - 1;
  }

  /** The part whose clock is nearest, at this place in the file. */
  #nearestPart(at: number, from: number): number {
    const distances = this.#parts.slice(from).map(({ clock }) => Math.abs(at - clock));
    return from + distances.lastIndexOf(Math.min(...distances));
  }

  #fits(stream: number, at: number, number: number): boolean {
    const part = this.#parts[number];
    if (part === undefined) return false;
    const last = part.last.get(stream);
    if (part.clock === -Infinity) return true;
    if (last !== undefined) return at >= last - BACKWARD_SECONDS && at <= part.clock + LONGEST_STALL_SECONDS;
    // The first packet of a stream in a part says where the part is, unless it is the first part.
    const reach = number === 0 ? LONGEST_STALL_SECONDS : NEAR_SECONDS;
    return Math.abs(at - part.clock) <= reach;
  }

  /** Seconds by which a part must move to follow another one without an overlap in any stream. */
  #distance(before: OpenPart, part: OpenPart): number {
    const distances = [...part.first].flatMap(([stream, first]) => {
      const last = before.last.get(stream);
      return last === undefined ? [] : [last + (this.#steps.get(stream) ?? 0) - first];
    });
    return distances.length > 0 ? Math.max(...distances) : before.clock - Math.min(...part.first.values());
  }
}

function newPart(clock: number): OpenPart {
  return { firstPackets: new Map(), first: new Map(), last: new Map(), clock };
}

/** Reads the decoding timestamps of all streams of a source, without decoding it, and finds its discontinuities. */
export async function readSourceTimeline(source: MediaInfo, signal?: AbortSignal): Promise<SourceTimeline> {
  const timed = source.others.filter(({ kind }) => kind === 'audio').map(({ index }) => index);
  const follower = new ClockFollower(new Set([source.video.index, ...timed]));
  for await (const { stream, dts } of readPackets(source, signal)) follower.add(stream, dts);
  return follower.timeline();
}

/** A packet of a file, with timestamps in seconds; NaN for missing ones. */
interface Packet {
  readonly stream: number;
  readonly pts: number;
  readonly dts: number;
  /** Whether an edit list hides all of it. */
  readonly isHidden: boolean;
}

/** Yields all packets of a file, in the order of the file. */
export async function* readPackets(
  { path }: Pick<MediaInfo, 'path'>,
  signal?: AbortSignal,
): AsyncGenerator<Packet> {
  const request = ['-show_entries', 'packet=stream_index,pts_time,dts_time,flags', '-of', 'csv=p=0'];
  const child = new FfmpegProcess('ffprobe', ['-loglevel', 'quiet', ...request, ...inputArguments(path)], {
    purpose: `reading the timestamps of ${basename(path)}`,
    signal,
    access: { reads: path },
  });
  child.stdin.end();
  child.extra.resume();
  for await (const line of createInterface({ input: child.stdout })) {
    child.touch();
    const fields = line.split(',');
    const [stream = NaN, pts = NaN, dts = NaN] = fields.map((field) => Number.parseFloat(field));
    if (!Number.isNaN(stream)) yield { stream, pts, dts, isHidden: fields[3]?.includes('D') === true };
  }
  await child.ended;
}

/** The part of a timeline that contains a packet of a stream. */
export function partOfPacket({ parts }: SourceTimeline, stream: number, number: number): TimelinePart | null {
  return parts.findLast(({ firstPackets }) => (firstPackets.get(stream) ?? Infinity) <= number) ?? null;
}

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Rational } from '../../domain/media-info.ts';

/** One decoded frame as ffmpeg's `framehash` muxer reports it. */
export interface HashedFrame {
  /** In units of the header's time base. */
  readonly pts: number;
  readonly duration: number;
  /** The first 32 bits of the hash of the image's bytes. */
  readonly hash: number;
}

/** Arguments that make ffmpeg report every frame of an output, unchanged in time, instead of writing it. */
export const FRAME_HASH_OUTPUT = [
  '-fps_mode',
  'passthrough',
  '-enc_time_base',
  '-1',
  '-flush_packets',
  '1',
  '-f',
  'framehash',
  // The fastest that ffmpeg has: 12 % on top of decoding 720p (crc32: 50 %). It only ever meets its own kind.
  '-hash',
  'murmur3',
] as const;

/** Reads what FRAME_HASH_OUTPUT writes, frame by frame, as it comes. */
export async function* readFrameHashes(
  output: Readable,
  onTimeBase: (timeBase: Rational) => void = () => undefined,
): AsyncGenerator<HashedFrame> {
  for await (const line of createInterface({ input: output, crlfDelay: Infinity })) {
    const timeBase = /^#tb 0: (\d+)\/(\d+)/.exec(line);
    if (timeBase !== null) onTimeBase({ num: Number(timeBase[1]), den: Number(timeBase[2]) });
    const frame = parseFrameHashLine(line);
    if (frame !== null) yield frame;
  }
}

/** A line `stream, dts, pts, duration, size, hash`, or null for a header. */
export function parseFrameHashLine(line: string): HashedFrame | null {
  if (line.startsWith('#')) return null;
  const fields = line.split(',');
  const hash = fields[5]?.trim();
  if (hash === undefined) return null;
  return { pts: Number(fields[2]), duration: Number(fields[3]), hash: Number.parseInt(hash.slice(0, 8), 16) };
}

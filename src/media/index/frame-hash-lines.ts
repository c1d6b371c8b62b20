import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Rational } from '../../domain/media-info.ts';
import type { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

/** A decoded frame, or a copied packet, as reported by ffmpeg's `framehash` muxer. */
export interface HashedFrame {
  /** Unit of `pts` and `duration`, in seconds. */
  readonly timeBase: Rational;
  readonly pts: number;
  readonly duration: number;
  /** The first 32 bits of the hash of the image. */
  readonly hash: number;
}

/** Arguments that make ffmpeg report every frame of an output with its original timestamp, instead of writing it. */
export const FRAME_HASH_OUTPUT = [
  '-fps_mode',
  'passthrough',
  '-enc_time_base',
  '-1',
  '-flush_packets',
  '1',
  '-f',
  'framehash',
  // The fastest hash of ffmpeg: 12 % on top of decoding 720p (crc32: 50 %).
  '-hash',
  'murmur3',
] as const;

/** Like FRAME_HASH_OUTPUT, but images are neither copied nor hashed, so only the timestamps mean anything. */
export const FRAME_TIMES_OUTPUT = ['-c:v', 'wrapped_avframe', ...FRAME_HASH_OUTPUT] as const;

/**
 * Arguments before an input of which only the timestamps are wanted: the loop filter smooths images that nobody looks at.
 * Everything that is in the stream is still decoded.
 */
export const FRAME_TIMES_INPUT = ['-skip_loop_filter', 'all'] as const;

/** Yields the frames of a `framehash` output as they arrive. */
export async function* readFrameHashes(output: Readable): AsyncGenerator<HashedFrame> {
  let timeBase: Rational = { num: 1, den: 1 };
  for await (const line of createInterface({ input: output, crlfDelay: Infinity })) {
    const header = /^#tb 0: (\d+)\/(\d+)/.exec(line);
    if (header !== null) timeBase = { num: Number(header[1]), den: Number(header[2]) };
    const frame = parseFrameHashLine(line, timeBase);
    if (frame !== null) yield frame;
  }
}

/** Yields the frames that ffmpeg reports on its standard output. Each frame counts as progress of the process. */
export async function* followFrames(child: FfmpegProcess): AsyncGenerator<HashedFrame> {
  for await (const frame of readFrameHashes(child.stdout)) {
    child.touch();
    yield frame;
  }
}

/** Timestamps of all frames of an output, in the order in which ffmpeg reports them. */
export interface FrameTimestamps {
  /** Null if there is no frame. */
  readonly timeBase: Rational | null;
  readonly pts: readonly number[];
}

/** Reads the timestamps of all frames that ffmpeg reports on its standard output. */
export async function readFrameTimestamps(child: FfmpegProcess): Promise<FrameTimestamps> {
  let timeBase: Rational | null = null;
  const pts: number[] = [];
  for await (const frame of followFrames(child)) {
    timeBase = frame.timeBase;
    pts.push(frame.pts);
  }
  return { timeBase, pts };
}

/** Parses a line `stream, dts, pts, duration, size, hash`; null for a header line. */
function parseFrameHashLine(line: string, timeBase: Rational): HashedFrame | null {
  if (line.startsWith('#')) return null;
  const fields = line.split(',');
  const hash = fields[5]?.trim();
  if (hash === undefined) return null;
  return {
    timeBase,
    pts: Number(fields[2]),
    duration: Number(fields[3]),
    hash: Number.parseInt(hash.slice(0, 8), 16),
  };
}

import { basename } from 'node:path';
import { InputRefusedError } from '../domain/errors.ts';
import type { MediaInfo, Rational } from '../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from './ffmpeg-arguments.ts';
import { FRAME_HASH_OUTPUT, readFrameHashes } from './frame-hash-lines.ts';
import { FfmpegProcess } from './run-ffmpeg.ts';

/**
 * Every frame that decoding the source gives, in display order: when it is shown and what it looks like. Made by
 * decoding once, because headers lie: it is what "no frame lost, none doubled, each at its time" is held against.
 */
export interface FrameIndex {
  readonly timeBase: Rational;
  /** Presentation timestamps in `timeBase`, as the source has them. */
  readonly pts: Float64Array;
  /** Fingerprints of the decoded pictures (32 bits of murmur3). */
  readonly hashes: Uint32Array;
  /** How long the last frame is shown, in `timeBase`; 0 where the source does not say. */
  readonly lastDuration: number;
}

/** Limits that are counted while decoding, whatever the header claimed (R31). */
export interface IndexLimits {
  readonly inputMegapixels: number;
  readonly hours: number;
  readonly framesPerSecond: number;
}

export interface IndexOptions {
  readonly limits: IndexLimits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (framesSeen: number) => void;
}

/** @throws InputRefusedError when not one frame can be decoded, or more frames come than the limits allow. */
export async function indexFrames(source: MediaInfo, options: IndexOptions): Promise<FrameIndex> {
  const name = basename(source.path);
  const maxFrames = options.limits.hours * 3600 * options.limits.framesPerSecond;
  const args = [
    ...QUIET_LENIENT,
    ...inputArguments(source.path, { maxPixels: options.limits.inputMegapixels * 1e6, before: ['-copyts'] }),
    '-map',
    `0:${source.video.index}`,
    ...FRAME_HASH_OUTPUT,
    'pipe:1',
  ];
  const child = new FfmpegProcess('ffmpeg', args, { purpose: `indexing ${name}`, signal: options.signal });
  child.stdin.end();
  child.extra.resume();
  const pts: number[] = [];
  const hashes: number[] = [];
  let timeBase = source.video.timeBase;
  let lastDuration = 0;
  for await (const frame of readFrameHashes(child.stdout, (found) => (timeBase = found))) {
    child.touch();
    pts.push(frame.pts);
    hashes.push(frame.hash);
    lastDuration = frame.duration;
    if (pts.length > maxFrames) {
      await child.kill();
      throw new InputRefusedError(
        'LIMIT_EXCEEDED',
        `${name} holds more than ${maxFrames} frames (limits.hours x limits.framesPerSecond).`,
      );
    }
    options.onProgress?.(pts.length);
  }
  await child.ended;
  if (pts.length === 0) {
    throw new InputRefusedError(
      'NO_DECODABLE_FRAME',
      `${name} has a video stream, but no frame of it can be decoded.`,
    );
  }
  return { timeBase, pts: Float64Array.from(pts), hashes: Uint32Array.from(hashes), lastDuration };
}

/** The index as bytes, to keep beside a job: a JSON line, then timestamps, then hashes, little-endian. */
export function encodeFrameIndex(index: FrameIndex): Buffer {
  const header = {
    version: 1,
    timeBase: index.timeBase,
    frames: index.pts.length,
    lastDuration: index.lastDuration,
  };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n`),
    Buffer.from(index.pts.buffer, index.pts.byteOffset, index.pts.byteLength),
    Buffer.from(index.hashes.buffer, index.hashes.byteOffset, index.hashes.byteLength),
  ]);
}

/** @returns null when the bytes are not a whole index of this version: it is made anew then. */
export function decodeFrameIndex(bytes: Buffer): FrameIndex | null {
  const lineEnd = bytes.indexOf(0x0a);
  if (lineEnd < 0) return null;
  const header = parseHeader(bytes.toString('utf8', 0, lineEnd));
  if (header === null || bytes.length !== lineEnd + 1 + header.frames * 12) return null;
  // Copied, because the arrays want to begin at a multiple of their element size.
  const body = Uint8Array.prototype.slice.call(bytes, lineEnd + 1).buffer;
  return {
    timeBase: header.timeBase,
    pts: new Float64Array(body, 0, header.frames),
    hashes: new Uint32Array(body, header.frames * 8, header.frames),
    lastDuration: header.lastDuration,
  };
}

function parseHeader(line: string): { timeBase: Rational; frames: number; lastDuration: number } | null {
  try {
    const header = JSON.parse(line) as {
      version: number;
      timeBase: Rational;
      frames: number;
      lastDuration: number;
    };
    return header.version === 1 ? header : null;
  } catch {
    return null; // Torn or foreign bytes are the caller's "make it anew".
  }
}

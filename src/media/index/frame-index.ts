import { basename } from 'node:path';
import { FfmpegError, InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo, Rational } from '../../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { FRAME_HASH_OUTPUT, readFrameHashes } from './frame-hash-lines.ts';
import { LimitGuard, type IndexLimits } from './limit-guard.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

/**
 * Every frame that decoding the source gives, in display order: when it is shown and what it looks like. Made by
 * decoding once, because headers lie: it is what "no frame lost, none doubled, each at its time" is held against.
 */
export interface FrameIndex {
  readonly timeBase: Rational;
  /** Presentation timestamps in `timeBase`, as the source has them. */
  readonly pts: Float64Array;
  /** Fingerprints of the decoded images (32 bits of murmur3). */
  readonly hashes: Uint32Array;
  /** How long the last frame is shown, in `timeBase`; 0 where the source does not say. */
  readonly lastDuration: number;
  /** Packets of the stream in the container, whether they decode or not. */
  readonly packetCount: number;
  /** Lines that the decoder said about what is broken. */
  readonly complaintCount: number;
}

export interface IndexOptions {
  readonly limits: IndexLimits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (framesSeen: number) => void;
}

/** @throws InputRejectedError when not one frame can be decoded, or more frames come than the limits allow. */
export async function indexFrames(source: MediaInfo, options: IndexOptions): Promise<FrameIndex> {
  const name = basename(source.path);
  const args = [
    ...QUIET_LENIENT,
    ...inputArguments(source.path, { maxPixels: options.limits.inputMegapixels * 1e6, before: ['-copyts'] }),
    '-map',
    `0:${source.video.index}`,
    ...FRAME_HASH_OUTPUT,
    'pipe:1',
    '-map',
    `0:${source.video.index}`,
    '-c',
    'copy',
    ...FRAME_HASH_OUTPUT,
    'pipe:3',
  ];
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `indexing ${name}`,
    signal: options.signal,
    access: { reads: source.path },
  });
  child.stdin.end();
  const packets = countPackets(child);
  const guard = new LimitGuard(name, options.limits);
  const pts: number[] = [];
  const hashes: number[] = [];
  let timeBase = source.video.timeBase;
  let lastDuration = 0;
  for await (const frame of readFrameHashes(child.stdout, (found) => (timeBase = found))) {
    child.touch();
    pts.push(frame.pts);
    hashes.push(frame.hash);
    lastDuration = frame.duration;
    const over = guard.whyOver(pts.length, (frame.pts * timeBase.num) / timeBase.den);
    if (over !== null) {
      await child.kill();
      throw new InputRejectedError('LIMIT_EXCEEDED', over);
    }
    options.onProgress?.(pts.length);
  }
  await endedAsFarAsItDecodes(child);
  if (pts.length === 0) {
    throw new InputRejectedError(
      'NO_DECODABLE_FRAME',
      `${name} has a video stream, but no frame of it can be decoded.`,
    );
  }
  return {
    timeBase,
    pts: Float64Array.from(pts),
    hashes: Uint32Array.from(hashes),
    lastDuration,
    packetCount: await packets,
    complaintCount: child.complaints,
  };
}

/** ffmpeg's exit codes for "too much of it did not decode" and "it ends badly": what was decoded until then counts. */
const DAMAGED_INPUT_EXITS: ReadonlySet<number | null> = new Set([1, 69]);

async function endedAsFarAsItDecodes(child: FfmpegProcess): Promise<void> {
  try {
    await child.ended;
  } catch (error) {
    // Killed, stalled or stopped it says nothing about the file.
    if (!(error instanceof FfmpegError) || !DAMAGED_INPUT_EXITS.has(error.exitCode)) throw error;
  }
}

async function countPackets(child: FfmpegProcess): Promise<number> {
  let count = 0;
  for await (const packet of readFrameHashes(child.extra)) {
    if (Number.isFinite(packet.duration)) count++;
  }
  return count;
}

import { createReadStream } from 'node:fs';
import { FfmpegError, VerificationError } from '../../domain/errors.ts';
import type { FrameFormat, HdrMetadata } from '../../domain/media-info.ts';
import { colorArguments, fromRgbFilter, type OutputColor } from '../decode/color-conversion.ts';
import { isTenBit } from './choose-codec.ts';
import {
  encoderArguments,
  encoderPixelFormat,
  REORDER_FRAMES,
  type EncoderName,
  type EncoderSettings,
} from './encoder-arguments.ts';
import { QUIET, rawInputArguments } from '../ffmpeg/ffmpeg-arguments.ts';
import { FRAME_HASH_OUTPUT, readFrameHashes } from '../index/frame-hash-lines.ts';
import { averageRate, type OutputTiming } from './output-timing.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { tableExpression } from './table-expression.ts';

/**
 * Segments count time from ten seconds before the source's start, so that the decoding timestamps of the first
 * frames, which lie before their presentation, stay positive; fragmented MP4 cannot hold negative ones.
 */
export const SEGMENT_OFFSET_SECONDS = 10;

export interface SegmentJob {
  /** File of raw frames, back to back. */
  readonly framesPath: string;
  readonly format: FrameFormat;
  readonly firstFrame: number;
  readonly frameCount: number;
  readonly timing: OutputTiming;
  readonly color: OutputColor;
  readonly hdr: HdrMetadata | null;
  /** Pixel width over height, as `num/den`. */
  readonly sampleAspectRatio: string;
  readonly segmentPath: string;
}

/**
 * Encodes a batch's frames as one fragmented MP4 that fits behind any other segment of the job, byte for byte:
 * absolute timestamps in both orders, and its parameter sets in the stream, because the next segment may come from
 * another encoder. Why so: docs/decisions/0005-segments.md.
 */
export async function encodeSegment(
  job: SegmentJob,
  encoder: EncoderName,
  settings: EncoderSettings,
  signal?: AbortSignal,
): Promise<void> {
  const tenBit = isTenBit(job.format);
  const { timescale } = job.timing;
  const args = [
    ...QUIET,
    '-y',
    ...rawInputArguments(job.format, averageRate(job.timing)),
    '-vf',
    [
      fromRgbFilter(job.color, encoderPixelFormat(encoder, tenBit, settings.chroma)),
      `setsar=${job.sampleAspectRatio}`,
      `settb=1/${timescale}`,
      `setpts='${tableExpression(presentationTimes(job))}'`,
    ].join(','),
    '-fps_mode',
    'passthrough',
    '-enc_time_base',
    `1/${timescale}`,
    ...encoderArguments(encoder, settings, tenBit, job.hdr),
    ...colorArguments(job.color),
    '-bsf:v',
    `dump_extra=freq=keyframe,setts=pts=PTS:dts='${tableExpression(decodingTimes(job))}'`,
    '-video_track_timescale',
    String(timescale),
    '-avoid_negative_ts',
    'disabled',
    '-use_editlist',
    '0',
    '-movflags',
    'empty_moov+frag_keyframe+default_base_moof+frag_discont',
    '-f',
    'mp4',
    `file:${job.segmentPath}`,
  ];
  signal?.throwIfAborted();
  const child = new FfmpegProcess('ffmpeg', args, { purpose: `encoding with ${encoder}` });
  child.stdout.resume();
  child.extra.resume();
  const frames = createReadStream(job.framesPath, { highWaterMark: 1024 * 1024 });
  // Not `pipeline`: a broken pipe is the process's failure, and its exit tells more than EPIPE.
  frames.on('data', () => child.touch());
  frames.pipe(child.stdin);
  const readFailed = new Promise<never>((_, reject) => frames.once('error', reject));
  const stop = (): void => {
    frames.destroy();
    void child.finish();
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([child.ended, readFailed]);
  } finally {
    signal?.removeEventListener('abort', stop);
    frames.destroy();
    await child.finish();
  }
  // Told to stop, it ended well, with part of the frames.
  signal?.throwIfAborted();
}

/**
 * Decodes a segment whole and counts it (R16).
 *
 * @throws VerificationError when frames are missing, too many or at the wrong time, or when decoding complains.
 */
export async function verifySegment(job: SegmentJob, signal?: AbortSignal): Promise<void> {
  const args = [
    ...QUIET,
    '-copyts',
    '-i',
    `file:${job.segmentPath}`,
    '-map',
    '0:v:0',
    ...FRAME_HASH_OUTPUT,
    'pipe:1',
  ];
  const child = new FfmpegProcess('ffmpeg', args, { purpose: 'checking a segment', signal });
  child.stdin.end();
  child.extra.resume();
  const expected = presentationTimes(job);
  let seen = 0;
  let misplaced: string | null = null;
  for await (const frame of readFrameHashes(child.stdout)) {
    child.touch();
    if (frame.pts !== expected[seen]) {
      misplaced ??= `frame ${job.firstFrame + seen} is at ${frame.pts} instead of ${String(expected[seen])}`;
    }
    seen++;
  }
  try {
    await child.ended;
  } catch (error) {
    if (error instanceof FfmpegError)
      throw new VerificationError(`A segment does not decode: ${error.message}`, { cause: error });
    throw error;
  }
  if (seen !== job.frameCount) {
    throw new VerificationError(
      `A segment holds ${seen} frames instead of ${job.frameCount} (from frame ${job.firstFrame} on).`,
    );
  }
  if (misplaced !== null)
    throw new VerificationError(`A segment has a frame at the wrong time: ${misplaced}.`);
}

function presentationTimes(job: SegmentJob): number[] {
  return Array.from({ length: job.frameCount }, (_, i) => ticks(job.timing, job.firstFrame + i));
}

/**
 * The n-th packet of the job in coded order is decoded when the frame REORDER_FRAMES before it is shown: strictly
 * increasing over the whole job, never after presentation, and the same whatever the encoder reorders.
 */
function decodingTimes(job: SegmentJob): number[] {
  return Array.from({ length: job.frameCount }, (_, i) =>
    ticks(job.timing, job.firstFrame + i - REORDER_FRAMES),
  );
}

/** Presentation of frame `number` in segment time; frames before the first continue its spacing backwards. */
function ticks(timing: OutputTiming, number: number): number {
  const offset = SEGMENT_OFFSET_SECONDS * timing.timescale;
  const first = timing.pts[0] ?? 0;
  if (number >= 0) return (timing.pts[number] ?? first) + offset;
  const spacing = Math.max(
    1,
    Math.min((timing.pts[1] ?? first + timing.lastDuration) - first, timing.timescale),
  );
  return first + offset + number * spacing;
}

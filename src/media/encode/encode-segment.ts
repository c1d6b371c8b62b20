import { FfmpegError, VerificationError } from '../../domain/errors.ts';
import type { FrameFormat, HdrMetadata } from '../../domain/media-info.ts';
import { chromaLocationFilters, colorArguments, type OutputColor } from '../decode/color-conversion.ts';
import { toEncoderFilter } from '../decode/frame-filters.ts';
import { isTenBit } from './choose-codec.ts';
import {
  codecOf,
  encoderArguments,
  encoderPixelFormat,
  isNvenc,
  REORDER_FRAMES,
  type EncoderName,
  type EncoderSettings,
} from './encoder-arguments.ts';
import { QUIET, rawInputArguments } from '../ffmpeg/ffmpeg-arguments.ts';
import { counted } from '../../lib/counted.ts';
import { FRAME_TIMES_INPUT, FRAME_TIMES_OUTPUT, readFrameTimestamps } from '../index/frame-hash-lines.ts';
import { averageRate, type OutputTiming } from './output-timing.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { tableExpression } from './table-expression.ts';

/**
 * Offset of the timestamps in segments. The decoding timestamps of the first frames are before their presentation
 * timestamps; the offset keeps them positive, because fragmented MP4 cannot store negative ones.
 */
export const SEGMENT_OFFSET_SECONDS = 10;

/** A segment to encode from the raw frames of a batch. */
export interface SegmentJob {
  /** File with the raw frames, without anything between them. */
  readonly framesPath: string;
  readonly format: FrameFormat;
  readonly firstFrame: number;
  readonly frameCount: number;
  readonly timing: OutputTiming;
  readonly color: OutputColor;
  readonly hdr: HdrMetadata | null;
  /** Pixel width divided by pixel height, as `num/den`. */
  readonly sampleAspectRatio: string;
  readonly segmentPath: string;
}

/**
 * Encodes the frames of a batch as a fragmented MP4 that can be appended byte for byte to the previous segment of the
 * job: its timestamps are absolute, and its parameter sets are in the stream because the next segment may come from
 * another encoder. See docs/decisions/0005-segments.md.
 */
export async function encodeSegment(
  job: SegmentJob,
  encoder: EncoderName,
  settings: EncoderSettings,
  signal?: AbortSignal,
): Promise<void> {
  const tenBit = isTenBit(job.format);
  const pixelFormat = encoderPixelFormat(encoder, tenBit, settings.chroma);
  const { timescale } = job.timing;
  const args = [
    ...QUIET,
    '-y',
    ...rawInputArguments(job.framesPath, job.format, averageRate(job.timing)),
    // A line for each frame. It shows progress, and when this process is gone, it cannot be written, and ffmpeg ends.
    '-map',
    '0:v:0',
    ...FRAME_TIMES_OUTPUT,
    'pipe:1',
    '-map',
    '0:v:0',
    '-vf',
    [
      toEncoderFilter(job.color, job.format, pixelFormat),
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
    [
      ...chromaLocationFilters(job.color, codecOf(encoder), pixelFormat),
      'dump_extra=freq=keyframe',
      `setts=pts=PTS:dts='${tableExpression(decodingTimes(job))}'`,
    ].join(','),
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
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `encoding with ${encoder}`,
    signal,
    // A driver that hangs may use CPU time.
    countsCpuTime: !isNvenc(encoder),
  });
  child.stdin.end();
  child.extra.resume();
  child.stdout.on('data', () => child.touch());
  await child.ended;
  // After an abort ffmpeg exits with 0, although frames are missing.
  signal?.throwIfAborted();
}

/**
 * Decodes a segment completely and checks its frames (promise 16 in docs/promises.md).
 *
 * @throws VerificationError if the segment cannot be decoded, or the number or timestamps of its frames are wrong
 */
export async function verifySegment(job: SegmentJob, signal?: AbortSignal): Promise<void> {
  const args = [
    ...QUIET,
    '-copyts',
    ...FRAME_TIMES_INPUT,
    '-i',
    `file:${job.segmentPath}`,
    '-map',
    '0:v:0',
    ...FRAME_TIMES_OUTPUT,
    'pipe:1',
  ];
  const child = new FfmpegProcess('ffmpeg', args, { purpose: 'verifying a segment', signal });
  child.stdin.end();
  child.extra.resume();
  const { pts } = await readFrameTimestamps(child);
  try {
    await child.ended;
  } catch (error) {
    if (error instanceof FfmpegError)
      throw new VerificationError(
        `The segment that starts at frame ${job.firstFrame} cannot be decoded: ${error.message}`,
        { cause: error },
      );
    throw error;
  }
  if (pts.length !== job.frameCount) {
    throw new VerificationError(
      `The segment that starts at frame ${job.firstFrame} has ${counted(pts.length, 'frame')} instead of ${job.frameCount}.`,
    );
  }
  const expected = presentationTimes(job);
  const wrong = pts.findIndex((ticks, i) => ticks !== expected[i]);
  if (wrong >= 0) {
    throw new VerificationError(
      `The segment that starts at frame ${job.firstFrame} has frame ${job.firstFrame + wrong} at timestamp ${String(pts[wrong])} instead of ${String(expected[wrong])}.`,
    );
  }
}

/** Presentation timestamps of the frames of a segment. */
function presentationTimes(job: SegmentJob): number[] {
  return Array.from({ length: job.frameCount }, (_, i) => ticks(job.timing, job.firstFrame + i));
}

/**
 * Decoding timestamps of the packets of a segment. Packet n of the job, in coded order, has the presentation timestamp
 * of frame n - REORDER_FRAMES. So they strictly increase over the whole job, are never after presentation, and do not
 * depend on how the encoder reorders frames.
 */
function decodingTimes(job: SegmentJob): number[] {
  return Array.from({ length: job.frameCount }, (_, i) =>
    ticks(job.timing, job.firstFrame + i - REORDER_FRAMES),
  );
}

/** Timestamp of a frame in a segment; negative frame numbers extrapolate from the first two frames. */
function ticks(timing: OutputTiming, number: number): number {
  const offset = SEGMENT_OFFSET_SECONDS * timing.timescale;
  const first = timing.pts[0] ?? 0;
  if (number >= 0) return (timing.pts[number] ?? first) + offset;
  return first + offset + number * firstSpacing(timing);
}

/** Ticks by which the first packet of a job is decoded before it is shown. */
export function decodingDelay(timing: OutputTiming): number {
  return REORDER_FRAMES * firstSpacing(timing);
}

function firstSpacing({ pts, lastDuration, timescale }: OutputTiming): number {
  const first = pts[0] ?? 0;
  return Math.max(1, Math.min((pts[1] ?? first + lastDuration) - first, timescale));
}

import { basename } from 'node:path';
import { codeOf, AudioShiftedError, InputRejectedError, VerificationError } from '../../domain/errors.ts';
import type { Chroma, FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import type { Captions } from '../captions/captions.ts';
import { isTenBit } from '../encode/choose-codec.ts';
import { counted } from '../../lib/counted.ts';
import { isMissingFile } from '../../lib/file-errors.ts';
import { agrees, type OutputColor } from '../decode/color-conversion.ts';
import { encoderPixelFormat } from '../encode/encoder-arguments.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import { probeMedia } from '../probe/probe-media.ts';
import { audioFaults } from './verify-audio.ts';
import { imageTimeFaults } from './verify-image-times.ts';
import { readPacketTimes, type PacketTimes } from '../index/packet-times.ts';
import type { SourceTimeline } from '../index/source-timeline.ts';
import { checkPackets } from './check-packets.ts';
import { checkFrames } from './verify-frames.ts';
import type { StreamPlan } from '../join/stream-plan.ts';

/** A source as the user gave it, with its own timestamps. */
export interface OriginalClock {
  readonly path: string;
  /** Its discontinuities; null if it has none. */
  readonly timeline: SourceTimeline | null;
}

/** What the finished file must contain. */
export interface ExpectedOutput {
  readonly format: FrameFormat;
  readonly chroma: Chroma;
  readonly timing: OutputTiming;
  readonly color: OutputColor;
  readonly sampleAspectRatio: { num: number; den: number };
  readonly plan: StreamPlan;
  /** Closed captions of the frames; null if there are none. */
  readonly captions: Captions | null;
  /**
   * Segments of which the video is a copy, all of them decoded and counted before, and unchanged since. Absent where there are
   * none, as for a GIF: the finished file is then decoded completely, as it also is if it has captions.
   */
  readonly segmentPaths?: readonly string[];
  /** The source of the audio tracks: the video that was queued, or its copy on one timeline. */
  readonly source: MediaInfo;
  /** The video that was queued, whose timestamps count. Default: the source. */
  readonly original?: OriginalClock;
}

/** Pixel limit for decoding: above the expected size, so that a wrong size is reported as such. */
function maxPixels({ width, height }: FrameFormat): number {
  return 2 * width * height + 1_000_000;
}

/**
 * Checks the content, the timestamp and the closed captions of every frame of the finished file, the size, pixel aspect ratio, colours, the times of frames and audio in the source, and the number of other streams of each kind (promise 17 in docs/promises.md).
 *
 * @throws VerificationError with every fault; AudioShiftedError if audio tracks out of sync are the only faults
 */
export async function verifyOutput(
  path: string,
  expected: ExpectedOutput,
  signal?: AbortSignal,
): Promise<void> {
  const found = await probeMedia(
    path,
    { inputMegapixels: maxPixels(expected.format) / 1e6, hours: Infinity },
    signal,
  ).catch((error: unknown) => {
    // The file was created for ffmpeg, so it is empty if ffmpeg wrote nothing.
    if (isMissingFile(error) || codeOf(error) === 'EMPTY_FILE')
      throw new VerificationError(
        `ffmpeg exited without an error, but the output file ${basename(path)} is missing or empty.`,
        {
          cause: error,
        },
      );
    // A fault of the finished file must not be blamed on the source.
    if (error instanceof InputRejectedError)
      throw new VerificationError(`The output file cannot be read: ${error.message}`, { cause: error });
    throw error;
  });
  const { timing, captions, segmentPaths } = expected;
  const frames = { timing, captions, maxPixels: maxPixels(expected.format) };
  // Captions are inserted while the segments are joined, so the packets differ.
  const { faults: frameFaults, firstFrameSeconds } =
    segmentPaths === undefined || captions !== null
      ? await checkFrames(found, frames, signal)
      : await checkPackets(found, segmentPaths, frames, signal);
  const before = await originalTimes(expected, signal);
  const audio = await audioFaults(found, { ...expected, before, firstFrameSeconds }, signal);
  const { source } = expected;
  const timeFaults = imageTimeFaults(source, timing, before.get(source.video.index));
  const others = [...streamFaults(found, expected), ...frameFaults, ...timeFaults];
  const faults = [...others, ...audio.map(({ sentence }) => sentence)];
  if (faults.length === 0) return;
  const message = `Verification failed: ${basename(path)} ${faults.join('; ')}.`;
  if (others.length === 0)
    throw new AudioShiftedError(message, new Map(audio.map(({ index, shift }) => [index, shift])));
  throw new VerificationError(message);
}

/** Packet times of the main video and the audio of the source as the user gave it. */
function originalTimes(
  { source, original = { path: source.path, timeline: null } }: ExpectedOutput,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, PacketTimes>> {
  const audio = source.others.filter(({ kind }) => kind === 'audio').map(({ index }) => index);
  const { path, timeline } = original;
  return readPacketTimes(path, new Set([source.video.index, ...audio]), { signal, timeline });
}

function colorFaults(video: MediaInfo['video'], { format, chroma, color }: ExpectedOutput): string[] {
  const faults: string[] = [];
  const pixelFormat = encoderPixelFormat('libx264', isTenBit(format), chroma);
  // ffmpeg has separate names for 8-bit formats with full range.
  if (video.pixelFormat.replace('yuvj', 'yuv') !== pixelFormat)
    faults.push(`has pixel format ${video.pixelFormat} instead of ${pixelFormat}`);
  if (!agrees(video.color, color))
    faults.push(`has colour properties ${JSON.stringify(video.color)} instead of ${JSON.stringify(color)}`);
  return faults;
}

/** Faults in the properties of the streams, as ends of a sentence that starts with the name of the file. */
function streamFaults(found: MediaInfo, expected: ExpectedOutput): string[] {
  const faults: string[] = [];
  const { video } = found;
  const { format, sampleAspectRatio: aspect, plan } = expected;
  if (video.width !== format.width || video.height !== format.height) {
    faults.push(`is ${video.width}x${video.height} instead of ${format.width}x${format.height}`);
  }
  // GIF has a palette and no colour tags.
  if (plan.container !== 'gif') faults.push(...colorFaults(video, expected));
  if (video.rotationDegrees !== 0) faults.push('is rotated');
  const ratio = (video.sampleAspectRatio.num * aspect.den) / (video.sampleAspectRatio.den * aspect.num);
  if (Math.abs(ratio - 1) > 0.001) faults.push('has the wrong pixel aspect ratio');
  for (const kind of ['audio', 'subtitle', 'attachment', 'video'] as const) {
    const wanted = plan.fates.filter((fate) => fate.stream.kind === kind && fate.codec !== null).length;
    const present = found.others.filter((stream) => stream.kind === kind).length;
    if (present !== wanted)
      faults.push(
        `has ${counted(present, kind === 'video' ? 'other video stream' : `${kind} stream`)} instead of ${wanted}`,
      );
  }
  return faults;
}

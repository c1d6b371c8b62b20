import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { FfmpegError, InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import type { FrameIndex } from './frame-index.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

/** A jump in the timestamps of a stream: the last one before it and the first one after it, in seconds. */
export interface TimestampDiscontinuity {
  readonly at: number;
  readonly to: number;
}

/**
 * The muxer for each container that allows timestamp discontinuities, as in interrupted recordings and files that were
 * concatenated byte for byte.
 */
const DISCONTINUOUS_MUXERS: Readonly<Record<string, string>> = { mpegts: 'mpegts', mpeg: 'vob' };

/** Jumps that ffmpeg treats as discontinuities and removes unless it is told to keep the timestamps. */
const BACKWARD_SECONDS = 0.1;
const FORWARD_SECONDS = 10;

/** With this many frames in a row that have the same timestamp, the timestamps are considered lost. */
const MAX_EQUAL_TIMESTAMPS = 10;

/** Whether the container allows timestamp discontinuities, so that its duration cannot be trusted. */
export function mayBeDiscontinuous({ container }: Pick<MediaInfo, 'container'>): boolean {
  return container in DISCONTINUOUS_MUXERS;
}

/** Finds the discontinuities in the decoding timestamps of the main video, without decoding it. */
export async function findTimestampDiscontinuities(
  source: MediaInfo,
  signal?: AbortSignal,
): Promise<TimestampDiscontinuity[]> {
  const request = ['-select_streams', String(source.video.index), '-show_entries', 'packet=dts_time'];
  const child = new FfmpegProcess(
    'ffprobe',
    ['-loglevel', 'quiet', ...request, '-of', 'csv=p=0', ...inputArguments(source.path)],
    { purpose: `reading the timestamps of ${basename(source.path)}`, signal, access: { reads: source.path } },
  );
  child.stdin.end();
  child.extra.resume();
  const jumps: TimestampDiscontinuity[] = [];
  let before = NaN;
  for await (const line of createInterface({ input: child.stdout })) {
    child.touch();
    const at = Number.parseFloat(line);
    if (Number.isNaN(at)) continue;
    if (at < before - BACKWARD_SECONDS || at > before + FORWARD_SECONDS) jumps.push({ at: before, to: at });
    before = at;
  }
  await child.ended;
  return jumps;
}

/**
 * Copies all streams of a source into a file with one continuous timeline: the parts between discontinuities follow
 * each other, with audio and video in sync.
 *
 * @throws InputRejectedError `TIMESTAMP_DISCONTINUITY` if ffmpeg cannot copy the source
 */
export async function remuxToOneTimeline(
  source: MediaInfo,
  to: { readonly path: string; readonly folder: string },
  signal?: AbortSignal,
): Promise<void> {
  const args = [
    ...QUIET_LENIENT,
    '-y',
    // MPEG program streams have a timestamp only for the first frame of a packet.
    ...inputArguments(source.path, { before: ['-fflags', '+genpts'] }),
    ...['-map', '0', '-c', 'copy', '-copy_unknown', '-muxdelay', '0', '-muxpreload', '0'],
    ...['-f', DISCONTINUOUS_MUXERS[source.container] ?? 'mpegts', '-progress', 'pipe:1', `file:${to.path}`],
  ];
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `remuxing ${basename(source.path)} onto one continuous timeline`,
    signal,
    access: { reads: source.path, writesInto: to.folder },
  });
  child.stdin.end();
  child.extra.resume();
  child.stdout.on('data', () => child.touch());
  try {
    await child.ended;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    throw rejected(source, `has timestamp discontinuities and cannot be remuxed (${error.message})`, error);
  }
}

/** @throws InputRejectedError `TIMESTAMP_DISCONTINUITY` if a long run of frames has the same timestamp */
export function assertTimestampsIncrease(source: MediaInfo, { pts }: FrameIndex): void {
  let equalCount = 0;
  for (let frame = 1; frame < pts.length; frame++) {
    equalCount = (pts[frame] ?? 0) > (pts[frame - 1] ?? 0) ? 0 : equalCount + 1;
    if (equalCount >= MAX_EQUAL_TIMESTAMPS)
      throw rejected(
        source,
        `has more than ${MAX_EQUAL_TIMESTAMPS} frames in a row whose timestamps do not increase`,
      );
  }
}

/** Number of frames whose timestamp is not after that of the frame before; in the output they follow it by one tick. */
export function countUnordered({ pts }: FrameIndex): number {
  return pts.reduce((count, at, frame) => count + (frame > 0 && at <= (pts[frame - 1] ?? 0) ? 1 : 0), 0);
}

function rejected({ path }: MediaInfo, reason: string, cause?: Error): InputRejectedError {
  return new InputRejectedError('TIMESTAMP_DISCONTINUITY', `${basename(path)} ${reason}.`, { cause });
}

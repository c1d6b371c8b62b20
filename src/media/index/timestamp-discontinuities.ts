import { basename } from 'node:path';
import { FfmpegError, InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import type { FrameIndex } from './frame-index.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import type { SourceTimeline } from './source-timeline.ts';

/** The muxer for each container that allows timestamp discontinuities. */
const DISCONTINUOUS_MUXERS: Readonly<Record<string, string>> = { mpegts: 'mpegts', mpeg: 'vob' };

/** Clock of MPEG transport and program streams. */
const TICKS_PER_SECOND = 90_000;

/** With this many frames in a row that have the same timestamp, the timestamps are considered lost. */
const MAX_EQUAL_TIMESTAMPS = 10;

/**
 * Copies all streams of a source into a file with one continuous timeline: the parts between discontinuities follow
 * each other, with audio and video in sync. Within a part, every packet keeps its time, gaps included.
 *
 * @throws InputRejectedError `TIMESTAMP_DISCONTINUITY` if ffmpeg cannot copy the source
 */
export async function remuxToOneTimeline(
  source: MediaInfo,
  timeline: SourceTimeline,
  to: { readonly path: string; readonly folder: string },
  signal?: AbortSignal,
): Promise<void> {
  const args = [
    ...QUIET_LENIENT,
    '-y',
    // MPEG program streams have a timestamp only for the first frame of a packet.
    ...inputArguments(source.path, { before: ['-copyts', '-fflags', '+genpts'] }),
    // The filters count packets, so none may be left out.
    ...['-map', '0', '-c', 'copy', '-copyinkf', '-copy_unknown', '-muxdelay', '0', '-muxpreload', '0'],
    ...shiftFilters(source, timeline),
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
    // A process that was killed or stalled says nothing about the file.
    if (!(error instanceof FfmpegError) || error.exitCode === null) throw error;
    throw rejected(source, `has timestamp discontinuities and cannot be remuxed (${error.message})`, error);
  }
}

/** Bitstream filters that move the packets of each part. */
function shiftFilters(source: MediaInfo, { parts }: SourceTimeline): string[] {
  const streams = [source.video.index, ...source.others.map(({ index }) => index)].sort((a, b) => a - b);
  return streams.flatMap((stream) => {
    const steps = parts.flatMap(({ firstPackets, shiftSeconds }) => {
      const first = firstPackets.get(stream);
      return first === undefined ? [] : [{ first, ticks: Math.round(shiftSeconds * TICKS_PER_SECOND) }];
    });
    const shift = steps.map(({ first, ticks }, i) => {
      const ticksBefore = steps[i - 1]?.ticks ?? 0;
      return `${ticks - ticksBefore}*gte(N,${first})`;
    });
    const sum = shift.length === 0 ? '0' : shift.join('+');
    return [`-bsf:${stream}`, `setts=pts='PTS+${sum}':dts='DTS+${sum}'`];
  });
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

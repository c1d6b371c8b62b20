import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { FfmpegError, InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import type { FrameIndex } from './frame-index.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

/** A place where a stream's clock does not go on where it was, in seconds of the source's clock. */
export interface TimestampDiscontinuity {
  readonly at: number;
  readonly to: number;
}

/** Muxers for the containers whose clock may jump: recordings that were interrupted, or joined byte for byte. */
const JUMPING: Readonly<Record<string, string>> = { mpegts: 'mpegts', mpeg: 'vob' };

/** What ffmpeg takes for a jump and closes, where it is not told to keep the source's clock. */
const BACKWARD_SECONDS = 0.1;
const FORWARD_SECONDS = 10;

/** So many images in a row at one instant, and the clock was lost. */
const LONGEST_STANDSTILL = 10;

/** Whether the timestamps of such a container may begin anew in mid-stream, so that they tell no length. */
export function mayBeDiscontinuous({ container }: Pick<MediaInfo, 'container'>): boolean {
  return container in JUMPING;
}

/** Reads the decoding timestamps of the main video, without decoding. */
export async function findTimestampDiscontinuities(
  source: MediaInfo,
  signal?: AbortSignal,
): Promise<TimestampDiscontinuity[]> {
  const request = ['-select_streams', String(source.video.index), '-show_entries', 'packet=dts_time'];
  const child = new FfmpegProcess(
    'ffprobe',
    ['-loglevel', 'quiet', ...request, '-of', 'csv=p=0', ...inputArguments(source.path)],
    { purpose: `reading the clock of ${basename(source.path)}`, signal, access: { reads: source.path } },
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
 * Copies a source, all its streams as they are, to a file whose clock goes on where the source's jumps: the parts come
 * one behind the other, audio and image alike.
 *
 * @throws InputRejectedError CLOCK_JUMPS where ffmpeg cannot copy it
 */
export async function remuxToOneTimeline(
  source: MediaInfo,
  to: { readonly path: string; readonly folder: string },
  signal?: AbortSignal,
): Promise<void> {
  const args = [
    ...QUIET_LENIENT,
    '-y',
    // Programme streams give a time to the first image of a packet only.
    ...inputArguments(source.path, { before: ['-fflags', '+genpts'] }),
    ...['-map', '0', '-c', 'copy', '-copy_unknown', '-muxdelay', '0', '-muxpreload', '0'],
    ...['-f', JUMPING[source.container] ?? 'mpegts', '-progress', 'pipe:1', `file:${to.path}`],
  ];
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `straightening the clock of ${basename(source.path)}`,
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
    throw jumpsRejected(source, `the parts cannot be put one behind the other (${error.message})`, error);
  }
}

/** @throws InputRejectedError CLOCK_JUMPS when the index has a run of images that are all shown at one instant */
export function assertTimestampsIncrease(source: MediaInfo, { pts }: FrameIndex): void {
  let standstill = 0;
  for (let frame = 1; frame < pts.length; frame++) {
    standstill = (pts[frame] ?? 0) > (pts[frame - 1] ?? 0) ? 0 : standstill + 1;
    if (standstill >= LONGEST_STANDSTILL)
      throw jumpsRejected(source, `more than ${LONGEST_STANDSTILL} images in a row are shown at one instant`);
  }
}

/** Images that are shown no later than the one before them; each comes one tick behind it instead. */
export function countUnordered({ pts }: FrameIndex): number {
  return pts.reduce((count, at, frame) => count + (frame > 0 && at <= (pts[frame - 1] ?? 0) ? 1 : 0), 0);
}

function jumpsRejected({ path }: MediaInfo, how: string, cause?: Error): InputRejectedError {
  return new InputRejectedError(
    'TIMESTAMP_DISCONTINUITY',
    `${basename(path)} has a clock that jumps in mid-stream: ${how}.`,
    { cause },
  );
}

import { once } from 'node:events';
import { QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

export interface Packing {
  /** What is packed, for messages, such as `packing the images of clip`. */
  readonly purpose: string;
  /** Frames per second, such as `30000/1001`. */
  readonly frameRate: string;
  /** Bitstream filter that gives the frames other times, in milliseconds; absent: they follow the frame rate. */
  readonly filter?: string;
}

/** Packs PNG images into one MP4 file without loss. @throws FfmpegError, and what `images` throws */
export async function packPngs(
  images: AsyncIterable<Buffer>,
  { purpose, frameRate, filter }: Packing,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const input = ['-protocol_whitelist', 'pipe', '-f', 'image2pipe', '-c:v', 'png', '-framerate', frameRate];
  // The muxer would choose a finer time base, of which the filter is not told.
  const filters = filter === undefined ? [] : ['-bsf:v', filter, '-video_track_timescale', '1000'];
  const args = [
    ...QUIET,
    '-y',
    ...input,
    '-i',
    'pipe:0',
    '-c',
    'copy',
    ...filters,
    '-f',
    'mp4',
    `file:${path}`,
  ];
  const child = new FfmpegProcess('ffmpeg', args, { purpose, signal });
  child.stdout.resume();
  child.extra.resume();
  const exited = child.ended.catch(() => undefined);
  try {
    for await (const png of images) {
      child.touch();
      if (child.stdin.destroyed) break; // `child.ended` rejects with the reason.
      if (!child.stdin.write(png))
        await Promise.race([once(child.stdin, 'drain').catch(() => exited), exited]);
    }
    child.stdin.end();
    await child.ended;
  } finally {
    await child.kill();
  }
}

import { once } from 'node:events';
import type { FrameFormat } from '../../domain/media-info.ts';
import { QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

export interface ClipSide {
  readonly format: FrameFormat;
  readonly frames: readonly Buffer[];
}

/** Writes two clips of the same size and length side by side as MP4, which browsers play. */
export async function writeClip(
  path: string,
  left: ClipSide,
  right: ClipSide,
  framesPerSecond: number,
): Promise<void> {
  const { width, height, pixelFormat } = right.format;
  const args = [
    ...[...QUIET, '-y', '-f', 'rawvideo', '-pix_fmt', pixelFormat],
    ...['-video_size', `${2 * width}x${height}`, '-framerate', framesPerSecond.toFixed(4), '-i', 'pipe:0'],
    // Edges have to be even for 4:2:0.
    ...['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '14', '-pix_fmt', 'yuv420p'],
    ...['-colorspace', 'bt709', '-movflags', '+faststart', '-f', 'mp4', `file:${path}`],
  ];
  const child = new FfmpegProcess('ffmpeg', args, { purpose: 'encoding a clip', countsCpuTime: true });
  child.stdout.resume();
  child.extra.resume();
  const exited = child.ended.catch(() => undefined);
  try {
    for (const [i, pixels] of right.frames.entries()) {
      child.touch();
      if (child.stdin.destroyed) break; // `child.ended` rejects with the reason.
      if (!child.stdin.write(sideBySide(left.frames[i] ?? pixels, pixels, height)))
        await Promise.race([once(child.stdin, 'drain').catch(() => exited), exited]);
    }
    child.stdin.end();
    await child.ended;
  } finally {
    await child.kill();
  }
}

function sideBySide(left: Buffer, right: Buffer, height: number): Buffer {
  const rowBytes = right.length / height;
  const both = Buffer.alloc(2 * right.length);
  for (let row = 0; row < height; row++) {
    left.copy(both, 2 * row * rowBytes, row * rowBytes, (row + 1) * rowBytes);
    right.copy(both, (2 * row + 1) * rowBytes, row * rowBytes, (row + 1) * rowBytes);
  }
  return both;
}

import { rm } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import { colorInputOptions, outputColor } from '../decode/color-conversion.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import { QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { feedSegments } from '../join/feed-segments.ts';
import { joinedSegments } from '../join/joined-segments.ts';
import { GIF_TICKS_PER_SECOND } from './gif-limits.ts';

/** A GIF to make from the segments of a job. */
export interface GifJob {
  readonly source: MediaInfo;
  readonly segmentPaths: readonly string[];
  readonly timing: OutputTiming;
  /** Size of the GIF. */
  readonly format: FrameFormat;
  readonly outputPath: string;
}

/**
 * Makes a GIF that repeats for ever, in two passes over the joined segments: the first finds the 256 colours that suit all
 * frames best, and the second draws the frames with them. One pass would have to hold all frames in memory.
 */
export async function makeGif(job: GifJob, signal?: AbortSignal): Promise<void> {
  const { outputPath, timing } = job;
  // Named like the unfinished output, so that leftovers are cleaned up with it.
  const palettePath = `${outputPath.slice(0, outputPath.length - extname(outputPath).length)}.palette.png`;
  try {
    const image = ['-frames:v', '1', '-f', 'image2', '-update', '1', `file:${palettePath}`];
    await runOver(job, ['-vf', `${toRgb(job)},palettegen`, ...image], 'choosing the colours of', signal);
    const ticks = `setpts=PTS-STARTPTS,settb=1/${GIF_TICKS_PER_SECOND}`;
    const hold = Math.round((timing.lastDuration * GIF_TICKS_PER_SECOND) / timing.timescale);
    const args = [
      ...['-protocol_whitelist', 'file', '-f', 'png_pipe', '-i', `file:${palettePath}`],
      ...['-lavfi', `[0:v]${ticks},${toRgb(job)}[frames];[frames][1:v]paletteuse=diff_mode=rectangle`],
      ...['-fps_mode', 'passthrough', '-enc_time_base', `1/${GIF_TICKS_PER_SECOND}`],
      ...['-loop', '0', '-final_delay', String(hold), '-f', 'gif', `file:${outputPath}`],
    ];
    await runOver(job, args, 'making a GIF of', signal);
  } finally {
    await rm(palettePath, { force: true });
  }
}

/** Runs ffmpeg with the joined segments as its first input. */
async function runOver(
  { source, segmentPaths }: GifJob,
  args: readonly string[],
  what: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const input = ['-protocol_whitelist', 'pipe', '-f', 'mov', '-i', 'pipe:0'];
  const child = new FfmpegProcess('ffmpeg', [...QUIET, '-y', ...input, ...args], {
    purpose: `${what} ${basename(source.path)}`,
    signal,
    // Short segments are in the pipe at once, and nothing shows how far it is.
    countsCpuTime: true,
  });
  child.stdout.resume();
  child.extra.resume();
  const joined = joinedSegments(segmentPaths, null, { spatial: null, hdr: null });
  await Promise.all([child.ended, feedSegments(child, joined)]);
}

/** Filters that give frames of the size of the GIF in RGB. */
function toRgb({ source: { video }, format: { width, height } }: GifJob): string {
  const stored = { ...video, pixelFormat: 'yuv444p', color: outputColor(video) };
  const flags = 'flags=lanczos+accurate_rnd+full_chroma_int';
  return `scale=${width}:${height}:${flags}${colorInputOptions(stored)},setsar=1,format=rgb24`;
}

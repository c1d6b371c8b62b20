import { createReadStream } from 'node:fs';
import { once } from 'node:events';
import { basename } from 'node:path';
import type { MediaInfo } from '../domain/media-info.ts';
import type { Codec } from './encoder-arguments.ts';
import { inputArguments, QUIET_LENIENT } from './ffmpeg-arguments.ts';
import type { OutputTiming } from './output-timing.ts';
import { FfmpegProcess } from './run-ffmpeg.ts';
import { joinedRanges } from './segment-boxes.ts';
import { otherStreamArguments, videoTag, type StreamPlan } from './stream-plan.ts';

export interface MuxJob {
  readonly source: MediaInfo;
  readonly segmentPaths: readonly string[];
  readonly timing: OutputTiming;
  readonly codec: Codec;
  /** How many different encoders made the segments. */
  readonly encodersUsed: number;
  readonly plan: StreamPlan;
  readonly outputPath: string;
}

/**
 * Joins a job's segments, exactly as they are, with the source's other streams, chapters and metadata. The segments
 * go through standard input as one fragmented MP4, so no joined copy ever lies on the disk.
 */
export async function muxOutput(job: MuxJob, signal?: AbortSignal): Promise<void> {
  const { source, timing, plan } = job;
  // ffmpeg lets every input begin at 0; the video begins where its first frame lies in the source.
  const videoStartSeconds = (timing.pts[0] ?? 0) / timing.timescale;
  const args = [
    ...QUIET_LENIENT,
    '-y',
    '-itsoffset',
    videoStartSeconds.toFixed(9),
    '-protocol_whitelist',
    'pipe',
    '-f',
    'mov',
    '-thread_queue_size',
    '512',
    '-i',
    'pipe:0',
    ...inputArguments(source.path, { before: ['-thread_queue_size', '512'] }),
    '-map',
    '0:v:0',
    '-c:v:0',
    'copy',
    ...videoTag(job.codec, plan.container, job.encodersUsed),
    ...otherStreamArguments(plan, 1),
    '-map_metadata',
    '1',
    '-map_chapters',
    '1',
    // A frame that waits for a stream without packets (late audio, sparse subtitles) is no reason to stop.
    '-max_muxing_queue_size',
    '100000',
    ...(plan.container === 'matroska'
      ? ['-f', 'matroska']
      : [
          '-video_track_timescale',
          String(timing.timescale),
          // Edit lists count in the movie's timescale: a coarser one would round the last frame away.
          '-movie_timescale',
          String(timing.timescale),
          '-movflags',
          'faststart',
          '-f',
          plan.container,
        ]),
    `file:${job.outputPath}`,
  ];
  const child = new FfmpegProcess('ffmpeg', args, { purpose: `joining ${basename(source.path)}`, signal });
  child.stdout.resume();
  child.extra.resume();
  await Promise.all([child.ended, feedSegments(child, job.segmentPaths)]);
}

async function feedSegments(child: FfmpegProcess, segmentPaths: readonly string[]): Promise<void> {
  const gone = child.ended.catch(() => undefined);
  for await (const { path, start, end } of joinedRanges(segmentPaths)) {
    for await (const chunk of createReadStream(path, { start, end }) as AsyncIterable<Buffer>) {
      child.touch();
      if (child.stdin.destroyed) return; // Its exit says why.
      if (!child.stdin.write(chunk)) await Promise.race([once(child.stdin, 'drain'), gone]);
    }
  }
  child.stdin.end();
}

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import type { MediaInfo } from '../../domain/media-info.ts';
import { coverArguments, extractCovers } from './cover-art.ts';
import { SEGMENT_OFFSET_SECONDS } from '../encode/encode-segment.ts';
import type { Codec } from '../encode/encoder-arguments.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import type { OutputTiming } from '../encode/output-timing.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { joinedRanges } from '../encode/segment-boxes.ts';
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
  const folder = dirname(job.outputPath);
  const covers = await extractCovers(source, plan, { prefix: coverPrefix(job.outputPath), folder }, signal);
  // The source keeps its clock (`-copyts`), the segments are moved onto it, and the finished file begins at 0. Left to
  // itself ffmpeg moves each input to 0, and a transport stream by a rule that leaves out what is not mapped.
  const args = [
    ...QUIET_LENIENT,
    '-y',
    '-copyts',
    '-itsoffset',
    (source.startSeconds - SEGMENT_OFFSET_SECONDS).toFixed(6),
    '-protocol_whitelist',
    'pipe',
    '-f',
    'mov',
    '-thread_queue_size',
    '512',
    '-i',
    'pipe:0',
    ...inputArguments(source.path, { before: ['-thread_queue_size', '512'] }),
    ...movedInputs(source, plan),
    '-map',
    '0:v:0',
    '-c:v:0',
    'copy',
    ...videoTag(job.codec, plan.container, job.encodersUsed),
    ...videoMetadata(source),
    ...otherStreamArguments(plan, 1),
    ...coverArguments(covers, plan),
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
    '-output_ts_offset',
    (-source.startSeconds).toFixed(6),
    `file:${job.outputPath}`,
  ];
  // `faststart` moves the whole file at the end and says nothing meanwhile.
  const bytes = source.bytes + (await totalBytes(job.segmentPaths));
  const stallMs = 60_000 + bytes / LEAST_BYTES_PER_MS;
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `joining ${basename(source.path)}`,
    signal,
    stallMs,
    access: { reads: source.path, writesInto: folder },
  });
  child.stdout.resume();
  child.extra.resume();
  try {
    await Promise.all([child.ended, feedSegments(child, job.segmentPaths)]);
  } finally {
    for (const { path } of covers) await rm(path, { force: true });
  }
}

/** Beside the output, and like it in name: what a kill leaves there is found and removed in the same way. */
function coverPrefix(outputPath: string): string {
  return `${outputPath.slice(0, outputPath.length - extname(outputPath).length)}.cover`;
}

/** The source once more for each track that is moved. */
function movedInputs({ path }: MediaInfo, plan: StreamPlan): string[] {
  return plan.fates.flatMap(({ codec, movedSeconds }) =>
    codec === null || movedSeconds === undefined
      ? []
      : inputArguments(path, {
          before: ['-thread_queue_size', '512', '-itsoffset', movedSeconds.toFixed(6)],
        }),
  );
}

/** A slow disk's 5 MB/s. */
const LEAST_BYTES_PER_MS = 5_000;

async function totalBytes(paths: readonly string[]): Promise<number> {
  let total = 0;
  for (const path of paths) total += (await stat(path)).size;
  return total;
}

/** Tags that describe the bytes or the orientation of the stream that was, not of the one that is. */
const STALE_TAGS = ['rotate', 'encoder', 'DURATION', 'BPS', 'NUMBER_OF_FRAMES', 'NUMBER_OF_BYTES'];

/** The video's own title, language and flags, as the source has them. */
function videoMetadata({ video }: MediaInfo): string[] {
  const flags = video.dispositions.filter((flag) => flag !== 'attached_pic' && flag !== 'timed_thumbnails');
  return [
    '-map_metadata:s:v:0',
    `1:s:${video.index}`,
    ...STALE_TAGS.flatMap((tag) => ['-metadata:s:v:0', `${tag}=`]),
    '-disposition:v:0',
    flags.length === 0 ? '0' : flags.join('+'),
  ];
}

async function feedSegments(child: FfmpegProcess, segmentPaths: readonly string[]): Promise<void> {
  const gone = child.ended.catch(() => undefined);
  for await (const { path, start, end } of joinedRanges(segmentPaths)) {
    for await (const chunk of createReadStream(path, { start, end }) as AsyncIterable<Buffer>) {
      child.touch();
      if (child.stdin.destroyed) return; // Its exit says why.
      // A broken pipe is told by its end, and by what it wrote.
      if (!child.stdin.write(chunk)) await Promise.race([once(child.stdin, 'drain').catch(() => gone), gone]);
    }
  }
  child.stdin.end();
}

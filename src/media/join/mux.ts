import { rm, stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import type { MediaInfo, SpatialLayout } from '../../domain/media-info.ts';
import { captionsOf, type Captions } from '../captions/captions.ts';
import type { CaptionSource } from '../captions/insert-captions.ts';
import { coverArguments, extractCovers } from './cover-art.ts';
import { decodingDelay, SEGMENT_OFFSET_SECONDS } from '../encode/encode-segment.ts';
import type { Codec } from '../encode/encoder-arguments.ts';
import { inputArguments, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { endSeconds, frameAt, type OutputTiming } from '../encode/output-timing.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import { feedSegments } from './feed-segments.ts';
import { joinedSegments } from './joined-segments.ts';
import { fitToMatroska } from './matroska-tracks.ts';
import { isMatroska, otherStreamArguments, videoTag, type StreamPlan } from './stream-plan.ts';

/** A finished file to mux from the segments of a job and the other streams of its source. */
export interface MuxJob {
  readonly source: MediaInfo;
  readonly segmentPaths: readonly string[];
  readonly timing: OutputTiming;
  readonly codec: Codec;
  /** Number of different encoders that made the segments. */
  readonly encoderCount: number;
  readonly plan: StreamPlan;
  /** Closed captions to insert into the frames; null if there are none. */
  readonly captions: Captions | null;
  /** Stereo 3D and spherical metadata of the output; null or absent if there are none. */
  readonly spatial?: SpatialLayout | null;
  readonly outputPath: string;
}

/**
 * Muxes the segments of a job with the other streams, chapters and metadata of the source. The segments are
 * piped in as one fragmented MP4, so that no joined copy is written to disk. Closed captions are inserted on the way.
 */
export async function muxOutput(job: MuxJob, signal?: AbortSignal): Promise<void> {
  const { source, timing } = job;
  const prefix = withoutExtension(job.outputPath);
  const plan = await fitToMatroska(source, job.plan, `${prefix}.trial`, signal);
  const folder = dirname(job.outputPath);
  const covers = await extractCovers(source, plan, { prefix: `${prefix}.cover`, folder }, signal);
  // The source keeps its timestamps (`-copyts`), the segments are moved to match them, and the finished file starts at
  // 0. By default ffmpeg moves each input to 0, and transport streams by a rule that ignores unmapped streams.
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
    '-bsf:v:0',
    holdLastFrame(job),
    ...videoTag(job.codec, plan.container, job.encoderCount),
    ...videoMetadata(source),
    ...otherStreamArguments(plan, 1),
    ...coverArguments(covers, plan),
    '-map_metadata',
    '1',
    ...FILE_TAGS.flatMap((tag) => ['-metadata', `${tag}=`]),
    '-map_chapters',
    '1',
    // Streams with few or late packets, such as sparse subtitles, must not overflow the queue.
    '-max_muxing_queue_size',
    '100000',
    ...(isMatroska(plan.container)
      ? ['-f', plan.container]
      : [
          '-video_track_timescale',
          String(timing.timescale),
          // Edit lists use the timescale of the movie: with a coarser one, rounding would cut off the last frame.
          '-movie_timescale',
          String(timing.timescale),
          // For ffmpeg 5.1, FLAC in MP4 is experimental, and spherical metadata are unofficial.
          ...['-strict', 'experimental'],
          '-movflags',
          hasCustomTags(source) ? 'faststart+use_metadata_tags' : 'faststart',
          '-f',
          plan.container,
        ]),
    '-output_ts_offset',
    (-source.startSeconds).toFixed(6),
    `file:${job.outputPath}`,
  ];
  // At the end, `faststart` rewrites the whole file without any sign of progress.
  const bytes = source.bytes + (await totalBytes(job.segmentPaths));
  const stallMs = 60_000 + bytes / MIN_BYTES_PER_MS;
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `muxing ${basename(source.path)}`,
    signal,
    stallMs,
    access: { reads: source.path, writesInto: folder },
  });
  child.stdout.resume();
  child.extra.resume();
  try {
    // With NVENC, ffmpeg 5.1 writes no HDR metadata into the stream.
    const metadata = { spatial: job.spatial ?? null, hdr: source.video.hdr };
    const joined = joinedSegments(job.segmentPaths, captionSource(job), metadata);
    await Promise.all([child.ended, feedSegments(child, joined)]);
  } finally {
    for (const { path } of covers) await rm(path, { force: true });
  }
}

/**
 * Bitstream filter that makes the last frame last as long as in the source. MP4 takes the length of a track from the last
 * packet in coded order, which may belong to another frame: it gets the same end, and a decoding time as long before its
 * presentation as that of the first packet.
 */
function holdLastFrame({ source, timing, plan }: MuxJob): string {
  const ticksPerSecond = isMatroska(plan.container) ? 1000 : timing.timescale;
  const scale = ticksPerSecond / timing.timescale;
  const end = Math.round((endSeconds(timing) + source.startSeconds) * ticksPerSecond);
  const shown = `gte(PTS,${Math.floor(end - timing.lastDuration * scale)})`;
  const coded = `gte(N,${timing.pts.length - 1})`;
  const dts = `if(${coded},max(DTS,PTS-${Math.round(decodingDelay(timing) * scale)}),DTS)`;
  // Packets that are decoded before a gap and shown after it have the duration of the gap.
  return `setts=pts=PTS:dts='${dts}':duration='max(1,min(${end}-PTS,if(${coded}+${shown},1e15,DURATION)))'`;
}

/** Path prefix of temporary files: next to the output with a similar name, so that leftovers are cleaned up with it. */
function withoutExtension(outputPath: string): string {
  return outputPath.slice(0, outputPath.length - extname(outputPath).length);
}

/** Opens the source once more for each track that is moved in time. */
function movedInputs({ path }: MediaInfo, plan: StreamPlan): string[] {
  return plan.fates.flatMap(({ codec, movedSeconds }) =>
    codec === null || movedSeconds === undefined
      ? []
      : inputArguments(path, {
          before: ['-thread_queue_size', '512', '-itsoffset', movedSeconds.toFixed(6)],
        }),
  );
}

/** Speed of a slow disk, 5 MB/s. */
const MIN_BYTES_PER_MS = 5_000;

async function totalBytes(paths: readonly string[]): Promise<number> {
  let total = 0;
  for (const path of paths) total += (await stat(path)).size;
  return total;
}

/** Tags of a file that MP4 and MOV store in the way that all players know, or that describe the file itself. */
const COMMON_TAGS = new Set(
  (
    'title artist author album_artist composer album date year encoder comment genre copyright grouping lyrics description ' +
    'synopsis show episode_id network keywords episode_sort season_number media_type hd_video gapless_playback compilation ' +
    'track disc creation_time location timecode major_brand minor_version compatible_brands'
  ).split(' '),
);

/** Whether the file has tags such as those of phones, which MP4 and MOV store only in the way of QuickTime. */
function hasCustomTags({ tagNames }: MediaInfo): boolean {
  return tagNames.some((name) => !COMMON_TAGS.has(name.toLowerCase().replace(/-[a-z]{3}$/, '')));
}

/** Tags that describe the file of the source, not the video. */
const FILE_TAGS = ['major_brand', 'minor_version', 'compatible_brands'];

/** Tags of the source that are wrong for the new video stream. */
const STALE_TAGS = ['rotate', 'encoder', 'DURATION', 'BPS', 'NUMBER_OF_FRAMES', 'NUMBER_OF_BYTES'];

/** Arguments that copy the title, language and disposition flags of the video from the source. */
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

function captionSource({ captions, timing, codec }: MuxJob): CaptionSource | null {
  if (captions === null || codec === 'vp9') return null;
  const offset = SEGMENT_OFFSET_SECONDS * timing.timescale;
  return {
    codec,
    at: (ticks) => {
      const frame = frameAt(timing, ticks - offset);
      return frame === null ? null : captionsOf(captions, frame);
    },
  };
}

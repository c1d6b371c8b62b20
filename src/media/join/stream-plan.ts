import { extname } from 'node:path';
import type { MediaInfo, OtherStreamInfo } from '../../domain/media-info.ts';
import { isAttachedCover } from './attached-cover.ts';
import type { Codec } from '../encode/encoder-arguments.ts';

/** Container of the finished file. */
export type Container = 'mp4' | 'mov' | 'matroska' | 'webm' | 'gif';

/** Whether the Matroska muxer of ffmpeg writes the container; WebM is Matroska with fewer codecs. */
export function isMatroska(container: Container): boolean {
  return container === 'matroska' || container === 'webm';
}

/** What happens to a stream of the source other than the main video. */
export interface StreamFate {
  readonly stream: OtherStreamInfo;
  /** `copy`, the codec to convert to, or null if the stream is dropped. */
  readonly codec: string | null;
  /** Why the stream is converted or dropped; null if it is copied. */
  readonly reason: string | null;
  /** Seconds by which a copied track is moved to stay in sync. */
  readonly movedSeconds?: number;
  /** Bitstream filter applied while copying. */
  readonly filter?: string;
  /** Whether the muxer writes the track itself, from the chapters or the timecode. */
  readonly isWrittenByMuxer?: boolean;
}

/** The container of the finished file, and what happens to each other stream. */
export interface StreamPlan {
  readonly container: Container;
  /** File extension, including the dot. */
  readonly extension: string;
  /** Why the container differs from that of the source; null if it is the same. */
  readonly containerReason: string | null;
  readonly fates: readonly StreamFate[];
}

const MP4_AUDIO = new Set(['aac', 'ac3', 'eac3', 'mp3', 'mp2', 'alac', 'opus', 'flac', 'dts']);
const MP4_SUBTITLE = new Set(['mov_text']);
/** Transparent for stereo; the encoder lowers it where the sample rate or channels do not allow it. */
const BIT_RATE = '256k';
/** The encoder of ffmpeg itself is experimental. */
export const OPUS_ENCODER = 'libopus';
/** The channel layouts that Opus has; ffmpeg converts others, such as 5.1(side), to the nearest one. */
const OPUS_LAYOUTS = 'aformat=channel_layouts=7.1|6.1|5.1|5.0|quad|3.0|stereo|mono';
const WEBM_AUDIO = new Set(['opus', 'vorbis']);
const WEBM_VIDEO = new Set(['vp8', 'vp9', 'av1']);
/** Without it, a gap would move what comes after it; shorter ones are rounding. */
const SILENCE_IN_GAPS = 'aresample=async=1:min_hard_comp=0.01';
const TEXT_SUBTITLE = new Set(['mov_text', 'subrip', 'ass', 'ssa', 'webvtt', 'text']);
/** Codecs that Matroska does not support, and what they are converted to. */
const MATROSKA_CONVERSIONS: Readonly<Record<string, string>> = { mov_text: 'srt', eia_608: 'srt' };

/** The container that the user wants: that of the source if it can be written, or a fixed one. */
export type WantedContainer = 'source' | 'mp4' | 'mkv' | 'webm' | 'gif';

/**
 * Plans the container and the fate of every stream other than the main video. With `source`, MP4, MOV and Matroska are
 * kept if the container supports all streams, and everything else becomes Matroska. With `mp4` and `webm`, streams that the
 * container does not support are converted.
 */
export function planStreams(source: MediaInfo, wanted: WantedContainer = 'source'): StreamPlan {
  const { container, reason } = wanted === 'source' ? bestContainer(source) : fixedContainer(wanted, source);
  const extension = extname(source.path).toLowerCase();
  return {
    container,
    extension: EXTENSIONS[container].includes(extension) ? extension : (EXTENSIONS[container][0] ?? ''),
    containerReason: reason,
    fates: source.others.map((stream) => withFilter(fate(stream, container, source), source)),
  };
}

const EXTENSIONS: Readonly<Record<Container, readonly string[]>> = {
  mp4: ['.mp4', '.m4v'],
  mov: ['.mov'],
  matroska: ['.mkv'],
  webm: ['.webm'],
  gif: ['.gif'],
};

/** Why the containers that are made only when the user asks for them are not kept. */
const ON_REQUEST: Readonly<Record<string, string>> = {
  '.webm': 'WebM needs VP9; to get it, set output.container to webm',
  '.gif': 'GIF has only 256 colours; to get it, set output.container to gif',
};

interface ContainerChoice {
  readonly container: Container;
  /** Why it is not that of the source; null if it is. */
  readonly reason: string | null;
}

function fixedContainer(wanted: Exclude<WantedContainer, 'source'>, source: MediaInfo): ContainerChoice {
  const container = wanted === 'mkv' ? 'matroska' : wanted;
  const isOwn = container === (sourceContainer(source) ?? containerOnRequest(source));
  return { container, reason: isOwn ? null : `output.container is set to ${wanted}` };
}

function bestContainer(source: MediaInfo): ContainerChoice {
  const own = sourceContainer(source);
  if (own === null) {
    const extension = extname(source.path).toLowerCase();
    // A file may have the name of another container.
    const onRequest = ON_REQUEST[extension];
    if (onRequest !== undefined) return { container: 'matroska', reason: onRequest };
    const isMisleading = extension === '' || Object.values(EXTENSIONS).flat().includes(extension);
    const what = isMisleading ? 'the container of the source' : extension;
    return { container: 'matroska', reason: `${what} is not supported as an output container` };
  }
  const tracks = source.others.filter((stream) => stream.kind === 'audio' || stream.kind === 'subtitle');
  const misfit = own === 'matroska' ? undefined : tracks.find((stream) => !fitsMp4(stream, own));
  if (misfit === undefined) return { container: own, reason: null };
  const name = own === 'mov' ? 'MOV' : 'MP4';
  return {
    container: 'matroska',
    reason: `${name} does not support the ${misfit.codec} ${misfit.kind} track`,
  };
}

/**
 * Arguments that map and copy the planned streams of an input. Streams that are moved in time come from the inputs after
 * it, one each, in the order of the plan.
 *
 * @param input number of the input
 * @param videosBefore number of video streams that are mapped before these streams
 */
export function otherStreamArguments(plan: StreamPlan, input: number, videosBefore = 1): string[] {
  const kept = plan.fates.filter((fate) => isMapped(fate, plan));
  const perKind = new Map<string, number>();
  const args: string[] = [];
  let nextInput = input + 1;
  for (const { stream, codec, movedSeconds, filter } of kept) {
    const letter = LETTERS[stream.kind];
    // The upscaled video is number 0; cover images and other videos follow.
    const number = perKind.get(letter) ?? (letter === 'v' ? videosBefore : 0);
    perKind.set(letter, number + 1);
    const from = movedSeconds === undefined ? input : nextInput++;
    const encoder = codec === 'opus' ? OPUS_ENCODER : (codec ?? 'copy');
    args.push('-map', `${from}:${stream.index}`, `-c:${letter}:${number}`, encoder);
    if (codec === 'aac') args.push(`-b:a:${number}`, BIT_RATE, `-filter:a:${number}`, SILENCE_IN_GAPS);
    if (codec === 'opus')
      args.push(`-b:a:${number}`, BIT_RATE, `-filter:a:${number}`, `${SILENCE_IN_GAPS},${OPUS_LAYOUTS}`);
    if (filter !== undefined) args.push(`-bsf:${letter}:${number}`, filter);
    // ffmpeg needs the metadata mapping of every stream once one stream, here the video, has one.
    args.push(`-map_metadata:s:${letter}:${number}`, `${input}:s:${stream.index}`);
    if (stream.attachedPicture) args.push(`-disposition:v:${number}`, 'attached_pic');
  }
  return args;
}

/** Letters of the stream kinds in the arguments of ffmpeg. */
const LETTERS = { audio: 'a', subtitle: 's', attachment: 't', data: 'd', video: 'v' } as const;

/** Whether a stream of the source is mapped to the output, as opposed to dropped or written in another way. */
export function isMapped(fate: StreamFate, plan: Pick<StreamPlan, 'container'>): boolean {
  return fate.codec !== null && fate.isWrittenByMuxer !== true && !isAttachedCover(fate.stream, plan);
}

/**
 * Moves tracks of a plan in time. A track for which that does not help, or has not helped, is converted, which decodes
 * what an edit list shows; if it is converted already, it is dropped.
 *
 * @param shifts by stream index: the seconds, or why moving the track does not help
 */
export function withShifts(plan: StreamPlan, shifts: ReadonlyMap<number, number | string>): StreamPlan {
  const fates = plan.fates.map((fate): StreamFate => {
    const shift = shifts.get(fate.stream.index);
    if (shift === undefined) return fate;
    const { stream, codec, movedSeconds } = fate;
    if (typeof shift === 'number' && movedSeconds === undefined) return { ...fate, movedSeconds: shift };
    const why = typeof shift === 'number' ? 'still out of sync after a shift' : shift;
    if (codec !== 'copy') return { stream, codec: null, reason: why };
    return {
      stream,
      codec: plan.container === 'webm' ? 'opus' : 'aac',
      reason: `out of sync if copied (${why})`,
    };
  });
  return { ...plan, fates };
}

/**
 * Arguments for the video tag of MP4 and MOV: `avc1` and `hvc1` play everywhere, but only `avc3` and `hev1` allow the
 * parameter sets to change, as they do between encoders.
 */
export function videoTag(codec: Codec, container: Container, encoderCount: number): string[] {
  if (isMatroska(container) || container === 'gif' || codec === 'vp9') return [];
  const mixed = encoderCount > 1;
  return ['-tag:v:0', codec === 'h264' ? (mixed ? 'avc3' : 'avc1') : mixed ? 'hev1' : 'hvc1'];
}

/** The container of the source if it is made only when the user asks for it. */
function containerOnRequest({ container, path }: MediaInfo): 'webm' | 'gif' | null {
  if (container === 'gif') return 'gif';
  return container.includes('webm') && extname(path).toLowerCase() === '.webm' ? 'webm' : null;
}

/** The container of the source if it is kept; null if it is not. */
function sourceContainer(source: MediaInfo): Container | null {
  const extension = extname(source.path).toLowerCase();
  if (source.container.includes('mp4')) return extension === '.mov' ? 'mov' : 'mp4';
  return source.container.includes('matroska') && extension !== '.webm' ? 'matroska' : null;
}

function fitsMp4(stream: OtherStreamInfo, container: Container): boolean {
  if (stream.codec === 'unknown' || stream.codec === 'none') return true; // Dropped in any container.
  if (stream.kind === 'subtitle') return MP4_SUBTITLE.has(stream.codec);
  return MP4_AUDIO.has(stream.codec) || (container === 'mov' && stream.codec.startsWith('pcm_'));
}

function fate(stream: OtherStreamInfo, container: Container, source: MediaInfo): StreamFate {
  const drop = (reason: string): StreamFate => ({ stream, codec: null, reason });
  if (container === 'gif') return drop(`GIF does not support ${stream.kind} tracks`);
  // From the timecode, MOV and MP4 get a track, and Matroska a tag.
  if (stream.codec === 'timecode' || isChapterTrack(stream, source))
    return { stream, codec: 'copy', reason: null, isWrittenByMuxer: true };
  if (stream.codec === 'none') return drop(stream.attachedPicture ? 'damaged' : 'no decodable frames');
  if (stream.kind === 'data' && (isMatroska(container) || stream.tag !== GOPRO_TAG)) {
    const format = stream.tag === '' ? stream.codec : stream.tag;
    return drop(
      isMatroska(container)
        ? 'Matroska does not support data tracks'
        : `ffmpeg cannot write data tracks of the format ${format}`,
    );
  }
  if (stream.codec === 'unknown') return drop('unknown codec');
  if (stream.kind === 'attachment' && container !== 'matroska')
    return drop('only Matroska supports attachments');
  if (container === 'webm') return fateInWebm(stream);
  if (container === 'matroska') {
    if (stream.codec === 'dvb_teletext') return drop('Matroska does not support teletext');
    const conversion = MATROSKA_CONVERSIONS[stream.codec];
    return conversion === undefined
      ? { stream, codec: 'copy', reason: null }
      : { stream, codec: conversion, reason: `Matroska does not support ${stream.codec}` };
  }
  if (stream.kind === 'video' || stream.kind === 'data' || fitsMp4(stream, container))
    return { stream, codec: 'copy', reason: null };
  const reason = `${container === 'mov' ? 'MOV' : 'MP4'} does not support ${stream.codec}`;
  if (stream.kind === 'audio') return { stream, codec: 'aac', reason };
  return TEXT_SUBTITLE.has(stream.codec) ? { stream, codec: 'mov_text', reason } : drop(reason);
}

function fateInWebm(stream: OtherStreamInfo): StreamFate {
  const { kind, codec, attachedPicture } = stream;
  const kept: StreamFate = { stream, codec: 'copy', reason: null };
  if (kind === 'audio' && WEBM_AUDIO.has(codec)) return kept;
  if (kind === 'video' && WEBM_VIDEO.has(codec) && !attachedPicture) return kept;
  if (kind === 'subtitle' && codec === 'webvtt') return kept;
  const reason = `WebM does not support ${attachedPicture ? 'cover images' : codec}`;
  if (kind === 'audio') return { stream, codec: 'opus', reason };
  if (kind === 'subtitle' && TEXT_SUBTITLE.has(codec)) return { stream, codec: 'webvtt', reason };
  return { stream, codec: null, reason };
}

/** Telemetry of GoPro cameras, the one kind of data track that ffmpeg writes. */
const GOPRO_TAG = 'gpmd';

/** The track that names the chapters in MOV and MP4. */
function isChapterTrack(stream: OtherStreamInfo, { chapterCount }: MediaInfo): boolean {
  return stream.kind === 'data' && stream.tag === 'text' && chapterCount > 0;
}

/**
 * Adds the filter that removes the ADTS header from each AAC packet of a transport stream. Muxers do this on their own,
 * but fail at the first damaged header; with an explicit filter ffmpeg drops only the damaged packet.
 */
function withFilter(fate: StreamFate, { container }: MediaInfo): StreamFate {
  const hasHeaders = container === 'mpegts' && fate.stream.codec === 'aac' && fate.codec === 'copy';
  return hasHeaders ? { ...fate, filter: 'aac_adtstoasc' } : fate;
}

import { extname } from 'node:path';
import type { MediaInfo, OtherStreamInfo } from '../../domain/media-info.ts';
import { isAttachedCover } from './attached-cover.ts';
import type { Codec } from '../encode/encoder-arguments.ts';

export type Container = 'mp4' | 'mov' | 'matroska';

/** What becomes of one of the source's streams beside the main video. */
export interface StreamFate {
  readonly stream: OtherStreamInfo;
  /** `copy`, a codec to convert to, or null: left out. */
  readonly codec: string | null;
  /** Why it is converted or left out; null where it is copied. */
  readonly reason: string | null;
  /** Seconds that a copied track is moved by, where it would stand elsewhere than in the source. */
  readonly movedSeconds?: number;
  /** A bit stream filter that it is copied through. */
  readonly filter?: string;
}

export interface StreamPlan {
  readonly container: Container;
  /** With its dot. */
  readonly extension: string;
  /** Why the container is not the source's; null where it is. */
  readonly containerReason: string | null;
  readonly fates: readonly StreamFate[];
}

const MP4_AUDIO = new Set(['aac', 'ac3', 'eac3', 'mp3', 'mp2', 'alac', 'opus', 'flac', 'dts']);
const MP4_SUBTITLE = new Set(['mov_text']);
/** What Matroska cannot hold as it is, and what it becomes. */
const MATROSKA_CONVERSIONS: Readonly<Record<string, string>> = { mov_text: 'srt', eia_608: 'srt' };

/**
 * The container and the fate of every other stream. The source's container is kept where it is MP4, MOV or Matroska
 * and holds all of its streams; everything else goes to Matroska, which holds nearly anything.
 */
export function planStreams(source: MediaInfo): StreamPlan {
  const wanted = sourceContainer(source);
  const tracks = source.others.filter((stream) => stream.kind === 'audio' || stream.kind === 'subtitle');
  const misfit =
    wanted === null || wanted === 'matroska' ? undefined : tracks.find((stream) => !fitsMp4(stream, wanted));
  const container = wanted === null || misfit !== undefined ? 'matroska' : wanted;
  const extension = container === wanted ? extname(source.path).toLowerCase() : '.mkv';
  return {
    container,
    extension,
    containerReason: containerReason(source, wanted, misfit),
    fates: source.others.map((stream) => throughFilter(fate(stream, container), source)),
  };
}

/**
 * Arguments that map and copy the planned streams of input number `input`, behind the video of another input. The moved
 * ones come from inputs of their own behind it, in the order of the plan.
 */
export function otherStreamArguments(plan: StreamPlan, input: number, videosBefore = 1): string[] {
  const kept = plan.fates.filter(({ stream, codec }) => codec !== null && !isAttachedCover(stream, plan));
  const perKind = new Map<string, number>();
  const args: string[] = [];
  let nextInput = input + 1;
  for (const { stream, codec, movedSeconds, filter } of kept) {
    const letter =
      stream.kind === 'audio'
        ? 'a'
        : stream.kind === 'subtitle'
          ? 's'
          : stream.kind === 'attachment'
            ? 't'
            : 'v';
    // Video number 0 is the one that was made; cover images and further videos come after it, as they are.
    const number = perKind.get(letter) ?? (letter === 'v' ? videosBefore : 0);
    perKind.set(letter, number + 1);
    const from = movedSeconds === undefined ? input : nextInput++;
    args.push('-map', `${from}:${stream.index}`, `-c:${letter}:${number}`, codec ?? 'copy');
    if (filter !== undefined) args.push(`-bsf:${letter}:${number}`, filter);
    // Said for one stream, as for the video, it has to be said for all.
    args.push(`-map_metadata:s:${letter}:${number}`, `${input}:s:${stream.index}`);
    if (letter === 'v') args.push(`-disposition:v:${number}`, stream.attachedPicture ? 'attached_pic' : '0');
  }
  return args;
}

/** The plan with tracks moved, or left out. @param shifts by stream index: seconds, or why it cannot be moved */
export function withShifts(plan: StreamPlan, shifts: ReadonlyMap<number, number | string>): StreamPlan {
  const fates = plan.fates.map((fate) => {
    const shift = shifts.get(fate.stream.index);
    if (shift === undefined) return fate;
    if (typeof shift === 'string') return { ...fate, codec: null, reason: shift };
    return { ...fate, movedSeconds: (fate.movedSeconds ?? 0) + shift };
  });
  return { ...plan, fates };
}

/** The MP4 video tag: `avc3` and `hev1` allow parameter sets that change on the way, `avc1` and `hvc1` play everywhere. */
export function videoTag(codec: Codec, container: Container, encodersUsed: number): string[] {
  if (container === 'matroska') return [];
  const mixed = encodersUsed > 1;
  return ['-tag:v:0', codec === 'h264' ? (mixed ? 'avc3' : 'avc1') : mixed ? 'hev1' : 'hvc1'];
}

function sourceContainer(source: MediaInfo): Container | null {
  const extension = extname(source.path).toLowerCase();
  if (source.container.includes('mp4')) {
    if (extension === '.mov') return 'mov';
    return extension === '.mp4' || extension === '.m4v' ? 'mp4' : null;
  }
  return source.container.includes('matroska') && extension === '.mkv' ? 'matroska' : null;
}

function fitsMp4(stream: OtherStreamInfo, container: 'mp4' | 'mov'): boolean {
  if (stream.codec === 'unknown' || stream.codec === 'none') return true; // Left out in any container.
  if (stream.kind === 'subtitle') return MP4_SUBTITLE.has(stream.codec);
  return MP4_AUDIO.has(stream.codec) || (container === 'mov' && stream.codec.startsWith('pcm_'));
}

function fate(stream: OtherStreamInfo, container: Container): StreamFate {
  const leave = (reason: string): StreamFate => ({ stream, codec: null, reason });
  if (stream.codec === 'none') return leave('there is no image in it');
  if (stream.codec === 'unknown') return leave('its codec is unknown');
  if (stream.kind === 'data') return leave('data tracks cannot be carried over');
  if (stream.kind === 'attachment' && container !== 'matroska')
    return leave('attachments live in Matroska only');
  const conversion = container === 'matroska' ? MATROSKA_CONVERSIONS[stream.codec] : undefined;
  if (conversion !== undefined)
    return { stream, codec: conversion, reason: `Matroska holds no ${stream.codec}` };
  return { stream, codec: 'copy', reason: null };
}

/**
 * AAC with a header on each packet, as transport streams have it, needs them taken off. Muxers do that by themselves, but
 * fail at the first damaged one; ffmpeg leaves out that packet alone when it is told to do it.
 */
function throughFilter(fate: StreamFate, { container }: MediaInfo): StreamFate {
  const hasHeaders = container === 'mpegts' && fate.stream.codec === 'aac' && fate.codec === 'copy';
  return hasHeaders ? { ...fate, filter: 'aac_adtstoasc' } : fate;
}

function containerReason(
  source: MediaInfo,
  wanted: Container | null,
  misfit: OtherStreamInfo | undefined,
): string | null {
  if (misfit !== undefined)
    return `${wanted === 'mov' ? 'MOV' : 'MP4'} cannot hold its ${misfit.codec} ${misfit.kind} track`;
  if (wanted === null)
    return `${extname(source.path).toLowerCase() || 'its container'} is not one that the result can be kept in`;
  return null;
}

import { z } from 'zod';
import type {
  Chroma,
  ColorInfo,
  OtherStreamInfo,
  Rational,
  VideoStreamInfo,
} from '../../domain/media-info.ts';
import { dynamicHdrOf } from './dynamic-hdr.ts';
import { parseHdrMetadata, SideData } from './hdr-metadata.ts';
import { parseSpatialLayout } from './spatial-layout.ts';

/** A stream in the JSON output of ffprobe. */
export const Stream = z.object({
  index: z.number(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  codec_tag_string: z.string().optional(),
  duration: z.string().optional(),
  start_time: z.string().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  pix_fmt: z.string().optional(),
  time_base: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  sample_aspect_ratio: z.string().optional(),
  field_order: z.string().optional(),
  bits_per_raw_sample: z.string().optional(),
  color_range: z.string().optional(),
  color_space: z.string().optional(),
  color_primaries: z.string().optional(),
  color_transfer: z.string().optional(),
  chroma_location: z.string().optional(),
  disposition: z.record(z.string(), z.number()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  side_data_list: z.array(SideData).optional(),
});

export type ProbedStream = z.infer<typeof Stream>;

/** Whether a stream is a video, as opposed to a cover image. */
export function isVideo(stream: ProbedStream): boolean {
  return stream.codec_type === 'video' && stream.disposition?.['attached_pic'] !== 1 && area(stream) > 0;
}

/** The video that players show: one that is marked as default, and of several the largest; null if there is none. */
export function mainVideo(streams: readonly ProbedStream[]): ProbedStream | null {
  const videos = streams.filter(isVideo);
  const marked = videos.filter(({ disposition }) => disposition?.['default'] === 1);
  return (marked.length > 0 ? marked : videos).reduce<ProbedStream | null>(
    (best, next) => (best !== null && area(best) >= area(next) ? best : next),
    null,
  );
}

/** Pixels of one frame of a stream; 0 if unknown. */
export function area(stream: ProbedStream): number {
  return (stream.width ?? 0) * (stream.height ?? 0);
}

/** Describes the main video stream as viewers see it, with its rotation applied to the size. */
export function describeVideo(stream: ProbedStream, codec: string, pixelFormat: string): VideoStreamInfo {
  const rotationDegrees = clockwiseRotation(stream);
  const turned = rotationDegrees === 90 || rotationDegrees === 270;
  const width = stream.width ?? 0;
  const height = stream.height ?? 0;
  const aspect = parseRational(stream.sample_aspect_ratio, ':') ?? { num: 1, den: 1 };
  return {
    isStill: false,
    index: stream.index,
    codec,
    width: turned ? height : width,
    height: turned ? width : height,
    pixelFormat,
    bitsPerComponent: bitsPerComponent(pixelFormat),
    timeBase: parseRational(stream.time_base, '/') ?? { num: 1, den: 1000 },
    averageFrameRate: parseRational(stream.avg_frame_rate, '/'),
    sampleAspectRatio: turned ? { num: aspect.den, den: aspect.num } : aspect,
    rotationDegrees,
    mirrored: isMirrored(stream),
    color: describeColor(stream, pixelFormat),
    interlaced: !['progressive', 'unknown', undefined].includes(stream.field_order),
    hasAlpha: ALPHA_FORMAT.test(pixelFormat) || stream.tags?.['alpha_mode'] === '1',
    hdr: parseHdrMetadata(stream.side_data_list ?? []),
    spatial: parseSpatialLayout(stream.side_data_list ?? [], { width, height }),
    dynamicHdr: dynamicHdrOf(stream.side_data_list ?? []),
    durationSeconds: parseSeconds(stream.duration) ?? parseClock(stream.tags?.['DURATION']),
    startSeconds: parseSeconds(stream.start_time),
    dispositions: Object.entries(stream.disposition ?? {}).flatMap(([name, set]) =>
      set === 1 ? [name] : [],
    ),
  };
}

function describeColor(stream: ProbedStream, pixelFormat: string): ColorInfo {
  const range = stream.color_range === 'pc' || stream.color_range === 'tv' ? stream.color_range : null;
  return {
    range: range ?? (pixelFormat.startsWith('yuvj') ? 'pc' : null),
    matrix: known(stream.color_space),
    primaries: known(stream.color_primaries),
    transfer: known(stream.color_transfer),
    chromaLocation: CHROMA_LOCATIONS.find((location) => location === stream.chroma_location) ?? null,
  };
}

const CHROMA_LOCATIONS = ['left', 'center', 'topleft', 'top', 'bottomleft', 'bottom'] as const;

function known(name: string | undefined): string | null {
  return name === undefined || name === 'unknown' || name === 'reserved' || name === 'unspecified'
    ? null
    : name;
}

function hasNoImage(stream: ProbedStream): boolean {
  return stream.codec_type === 'video' && stream.pix_fmt === undefined;
}

/** Describes a stream other than the main video. A timecode track of the main video has the codec `timecode`. */
export function describeOther(stream: ProbedStream, main: ProbedStream): OtherStreamInfo {
  const timecode = stream.codec_tag_string === 'tmcd' ? stream.tags?.['timecode'] : undefined;
  const isTimecode = timecode !== undefined && timecode === main.tags?.['timecode'];
  const kinds = ['audio', 'subtitle', 'attachment', 'video'] as const;
  return {
    index: stream.index,
    kind: kinds.find((kind) => kind === stream.codec_type) ?? 'data',
    // A track without frames, or without any that decode, has no pixel format.
    codec: isTimecode ? 'timecode' : hasNoImage(stream) ? 'none' : (stream.codec_name ?? 'unknown'),
    tag: /^[a-z0-9 ]{4}$/i.test(stream.codec_tag_string ?? '') ? (stream.codec_tag_string ?? '') : '',
    language: stream.tags?.['language'] ?? null,
    attachedPicture: stream.disposition?.['attached_pic'] === 1,
    fileName: stream.tags?.['filename'] ?? stream.tags?.['FILENAME'] ?? null,
  };
}

const ALPHA_FORMAT = /^(yuva|gbrap|rgba|argb|bgra|abgr|ya8|ya16)/;

/** Whether the header marks the stream as encrypted. */
export function isEncrypted(stream: ProbedStream): boolean {
  if (/^(encv|drmi)$/.test(stream.codec_tag_string ?? '')) return true;
  return stream.side_data_list?.some(isEncryptionData) === true;
}

/** Whether a side data entry describes encryption. */
export function isEncryptionData({ side_data_type }: SideData): boolean {
  return side_data_type?.startsWith('Encryption') === true;
}

/** Clockwise rotation of a stream in degrees: 0, 90, 180 or 270. ffprobe reports the angle counter-clockwise. */
function clockwiseRotation(stream: ProbedStream): number {
  const angle = stream.side_data_list?.find((entry) => entry.rotation !== undefined)?.rotation ?? 0;
  const quarters = Math.round(-angle / 90);
  // Like ffmpeg, which applies other angles within a frame of the stored size.
  return Math.abs(-angle - quarters * 90) < 1 ? (((quarters % 4) + 4) % 4) * 90 : 0;
}

/** Whether the display matrix mirrors the image: its upper left 2x2 block has a negative determinant. */
function isMirrored(stream: ProbedStream): boolean {
  const matrix = stream.side_data_list
    ?.map((entry) => entry.displaymatrix)
    .find((text) => text !== undefined);
  const rows = /^\d+: +(-?\d+) +(-?\d+) .*\n\d+: +(-?\d+) +(-?\d+) /m.exec(matrix ?? '');
  const [, a, b, c, d] = rows?.map(Number) ?? [NaN, 1, 0, 0, 1];
  return Number(a) * Number(d) - Number(b) * Number(c) < 0;
}

/** Bits of one component of an ffmpeg pixel format: 10 for `yuv420p10le`, 8 for `rgb24`. */
export function bitsPerComponent(pixelFormat: string): number {
  if (/^(rgb|bgr)48|^(rgba|bgra)64|^(gbrp|gray|ya|yuv\w*p|gbrap)16/.test(pixelFormat)) return 16;
  const planar = /(?:p|gray)(9|10|12|14)(?:le|be)?$/.exec(pixelFormat) ?? /^p0(10|12|16)/.exec(pixelFormat);
  return planar?.[1] === undefined ? 8 : Number(planar[1]);
}

/** The chroma subsampling that keeps all colour detail of an ffmpeg pixel format. */
export function chromaOf(pixelFormat: string): Chroma {
  if (/^(rgb|bgr|gbr|argb|abgr|0rgb|0bgr|pal8)|4(44|40)p|^nv(24|42)|^(vuya|ayuv)|^p4/.test(pixelFormat))
    return '444';
  return /4(22|11)p|422$|^(nv16|nv20|p2)/.test(pixelFormat) ? '422' : '420';
}

/** Parses a decimal number of seconds; null if it is missing or `N/A`. */
export function parseSeconds(text: string | undefined): number | null {
  const seconds = Number(text);
  return text === undefined || !Number.isFinite(seconds) ? null : seconds;
}

/** Parses a duration tag of Matroska such as `00:00:05.005000000` into seconds. */
function parseClock(text: string | undefined): number | null {
  const parts = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text ?? '');
  return parts === null ? null : Number(parts[1]) * 3600 + Number(parts[2]) * 60 + Number(parts[3]);
}

function parseRational(text: string | undefined, separator: string): Rational | null {
  const [num, den] = (text ?? '').split(separator).map(Number);
  if (num === undefined || den === undefined || !(num > 0) || !(den > 0)) return null;
  return { num, den };
}

import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { FfmpegError, InputRefusedError } from '../domain/errors.ts';
import type {
  ColorInfo,
  MediaInfo,
  OtherStreamInfo,
  Rational,
  VideoStreamInfo,
} from '../domain/media-info.ts';
import { inputArguments } from './ffmpeg-arguments.ts';
import { runForText } from './run-ffmpeg.ts';

/** Limits that a file must keep before anything of it is decoded (R31). */
export interface InputLimits {
  readonly inputMegapixels: number;
  readonly hours: number;
}

const PROBE_TIMEOUT_MS = 30_000;

const Stream = z.object({
  index: z.number(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
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
  disposition: z.record(z.string(), z.number()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  side_data_list: z.array(z.looseObject({ rotation: z.number().optional() })).optional(),
});

const ProbeOutput = z.object({
  format: z.object({
    format_name: z.string(),
    duration: z.string().optional(),
    start_time: z.string().optional(),
  }),
  streams: z.array(Stream),
  chapters: z.array(z.unknown()).default([]),
});

type ProbedStream = z.infer<typeof Stream>;

/**
 * Reads a file's headers.
 *
 * @param path absolute
 * @throws InputRefusedError when it is not a readable video or breaks a limit; the sentence names the file.
 */
export async function probeMedia(
  path: string,
  limits: InputLimits,
  signal?: AbortSignal,
): Promise<MediaInfo> {
  const name = basename(path);
  const { size } = await stat(path);
  if (size === 0) throw new InputRefusedError('EMPTY_FILE', `${name} is empty.`);
  const probed = ProbeOutput.parse(JSON.parse(await runProbe(path, name, signal)));

  const videos = probed.streams.filter(isMovingPicture);
  const main = videos.reduce<ProbedStream | null>(
    (best, next) => (best !== null && area(best) >= area(next) ? best : next),
    null,
  );
  if (main === null) {
    const kinds = probed.streams.map((stream) => stream.codec_type ?? 'unknown').join(', ');
    throw new InputRefusedError(
      'NO_VIDEO_STREAM',
      `${name} has no video stream (it holds: ${kinds || 'nothing'}).`,
    );
  }
  if (main.codec_name === undefined || main.pix_fmt === undefined) {
    throw new InputRefusedError(
      'UNSUPPORTED_CODEC',
      `${name} has a video stream that this ffmpeg cannot decode.`,
    );
  }
  const info: MediaInfo = {
    path,
    container: probed.format.format_name,
    durationSeconds: parseSeconds(probed.format.duration),
    startSeconds: parseSeconds(probed.format.start_time) ?? 0,
    bytes: size,
    video: describeVideo(main, main.codec_name, main.pix_fmt),
    others: probed.streams.filter((stream) => stream !== main).map(describeOther),
    chapterCount: probed.chapters.length,
  };
  const broken = whyOverLimit(info, limits);
  if (broken !== null) throw new InputRefusedError('LIMIT_EXCEEDED', `${name} ${broken}`);
  return info;
}

async function runProbe(path: string, name: string, signal: AbortSignal | undefined): Promise<string> {
  const args = [
    '-hide_banner',
    '-loglevel',
    'error',
    '-print_format',
    'json',
    '-show_format',
    '-show_streams',
    '-show_chapters',
  ];
  try {
    return await runForText('ffprobe', [...args, ...inputArguments(path)], {
      purpose: `probing ${name}`,
      signal,
      stallMs: PROBE_TIMEOUT_MS,
      maxBytes: 16 * 1024 * 1024,
    });
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    const said = error.stderrTail.split('\n').at(-1)?.replace(`file:${path}: `, '').trim() ?? '';
    throw new InputRefusedError(
      'NOT_A_VIDEO',
      `${name} is not a video that ffmpeg can open${said === '' ? '' : ` (${said})`}.`,
      { cause: error },
    );
  }
}

function isMovingPicture(stream: ProbedStream): boolean {
  return stream.codec_type === 'video' && stream.disposition?.['attached_pic'] !== 1 && area(stream) > 0;
}

function area(stream: ProbedStream): number {
  return (stream.width ?? 0) * (stream.height ?? 0);
}

function describeVideo(stream: ProbedStream, codec: string, pixelFormat: string): VideoStreamInfo {
  const rotationDegrees = clockwiseRotation(stream);
  const turned = rotationDegrees === 90 || rotationDegrees === 270;
  const width = stream.width ?? 0;
  const height = stream.height ?? 0;
  const aspect = parseRational(stream.sample_aspect_ratio, ':') ?? { num: 1, den: 1 };
  return {
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
    color: describeColor(stream, pixelFormat),
    interlaced: !['progressive', 'unknown', undefined].includes(stream.field_order),
  };
}

function describeColor(stream: ProbedStream, pixelFormat: string): ColorInfo {
  const range = stream.color_range === 'pc' || stream.color_range === 'tv' ? stream.color_range : null;
  return {
    range: range ?? (pixelFormat.startsWith('yuvj') ? 'pc' : null),
    matrix: known(stream.color_space),
    primaries: known(stream.color_primaries),
    transfer: known(stream.color_transfer),
  };
}

function known(name: string | undefined): string | null {
  return name === undefined || name === 'unknown' || name === 'reserved' || name === 'unspecified'
    ? null
    : name;
}

function describeOther(stream: ProbedStream): OtherStreamInfo {
  const kinds = ['audio', 'subtitle', 'attachment', 'video'] as const;
  return {
    index: stream.index,
    kind: kinds.find((kind) => kind === stream.codec_type) ?? 'data',
    codec: stream.codec_name ?? 'unknown',
    language: stream.tags?.['language'] ?? null,
    attachedPicture: stream.disposition?.['attached_pic'] === 1,
  };
}

/** ffprobe gives the counter-clockwise angle of the display matrix; ffmpeg turns the picture clockwise by its negative. */
function clockwiseRotation(stream: ProbedStream): number {
  const angle = stream.side_data_list?.find((entry) => entry.rotation !== undefined)?.rotation ?? 0;
  return (((Math.round(-angle / 90) * 90) % 360) + 360) % 360;
}

/** Bits of one component, read off ffmpeg's name of the pixel format: `yuv420p10le` has 10, `rgb24` 8. */
export function bitsPerComponent(pixelFormat: string): number {
  if (/^(rgb|bgr)48|^(rgba|bgra)64|^(gbrp|gray|ya|yuv\w*p|gbrap)16/.test(pixelFormat)) return 16;
  const planar = /(?:p|gray)(9|10|12|14)(?:le|be)?$/.exec(pixelFormat) ?? /^p0(10|12|16)/.exec(pixelFormat);
  return planar?.[1] === undefined ? 8 : Number(planar[1]);
}

function whyOverLimit(info: MediaInfo, limits: InputLimits): string | null {
  const { width, height } = info.video;
  if (width * height > limits.inputMegapixels * 1e6) {
    return `is ${width}x${height}, more than the ${limits.inputMegapixels} megapixels allowed (limits.inputMegapixels).`;
  }
  if (info.durationSeconds !== null && info.durationSeconds > limits.hours * 3600) {
    const hours = (info.durationSeconds / 3600).toFixed(1);
    return `claims to last ${hours} hours, more than the ${limits.hours} allowed (limits.hours).`;
  }
  return null;
}

function parseSeconds(text: string | undefined): number | null {
  const seconds = Number(text);
  return text === undefined || !Number.isFinite(seconds) ? null : seconds;
}

function parseRational(text: string | undefined, separator: string): Rational | null {
  const [num, den] = (text ?? '').split(separator).map(Number);
  if (num === undefined || den === undefined || !(num > 0) || !(den > 0)) return null;
  return { num, den };
}

import type { ColorInfo, VideoStreamInfo } from '../../domain/media-info.ts';
import { chromaInputOptions, chromaOutputOptions, isQuartered } from './chroma-position.ts';

/** Colours of the finished file. Primaries and transfer are null if the source does not specify them. */
export interface OutputColor {
  readonly range: 'tv' | 'pc';
  readonly matrix: string;
  readonly primaries: string | null;
  readonly transfer: string | null;
  /** Chroma location of 4:2:0: what players expect, or `topleft` as in the source, where HDR displays expect that. */
  readonly chromaLocation: 'left' | 'topleft';
}

/** Names of the colour matrices in ffmpeg's scale filter, by their names in ffprobe. */
const SWSCALE_MATRICES: Readonly<Record<string, string>> = {
  bt709: 'bt709',
  fcc: 'fcc',
  bt470bg: 'bt470',
  smpte170m: 'smpte170m',
  smpte240m: 'smpte240m',
  bt2020nc: 'bt2020',
  bt2020c: 'bt2020',
};

/**
 * Colours of the finished file, which are those of the source. Players show a source without a matrix tag as BT.709 from
 * 720 lines on and as BT.601 below. The output is tagged accordingly: otherwise an upscaled video could cross that line
 * and change its colours.
 */
export function outputColor(video: VideoStreamInfo): OutputColor {
  const { color } = video;
  const guessed = video.height >= 720 ? 'bt709' : 'smpte170m';
  const matrix = color.matrix !== null && color.matrix in SWSCALE_MATRICES ? color.matrix : guessed;
  return {
    range: isRgb(video.pixelFormat) ? 'tv' : (color.range ?? 'tv'),
    matrix,
    primaries: color.primaries,
    transfer: color.transfer,
    chromaLocation: color.chromaLocation === 'topleft' ? 'topleft' : 'left',
  };
}

/** Why the colours of a source cannot be converted, as the end of a sentence that starts with its name; else null. */
export function whyUnknownMatrix({ color, pixelFormat }: VideoStreamInfo): string | null {
  const { matrix } = color;
  if (matrix === null || matrix in SWSCALE_MATRICES || matrix === 'gbr' || isRgb(pixelFormat)) return null;
  return `uses the colour matrix ${matrix}, which is not supported.`;
}

/** Options of the scale filter that say which colours decoded frames have. */
export function colorInputOptions(video: VideoStreamInfo): string {
  if (isRgb(video.pixelFormat)) return '';
  const { range, matrix } = outputColor(video);
  return `:in_range=${range}:in_color_matrix=${SWSCALE_MATRICES[matrix] ?? 'auto'}${chromaInputOptions(video)}`;
}

/** Options of the scale filter for YUV with these colours. */
export function colorOutputOptions(color: OutputColor, pixelFormat: string): string {
  const chroma = chromaOutputOptions(color.chromaLocation, pixelFormat);
  return `:out_range=${color.range}:out_color_matrix=${SWSCALE_MATRICES[color.matrix] ?? 'auto'}${chroma}`;
}

/** Names of transfer functions in ffmpeg options, where they differ from those in ffprobe. */
const TRANSFER_OPTIONS: Readonly<Record<string, string>> = { bt470m: 'gamma22', bt470bg: 'gamma28' };

/** Encoder arguments that write the colour tags into the stream. */
export function colorArguments(color: OutputColor): string[] {
  return [
    '-color_range',
    color.range,
    '-colorspace',
    color.matrix,
    ...(color.primaries === null ? [] : ['-color_primaries', color.primaries]),
    ...(color.transfer === null ? [] : ['-color_trc', TRANSFER_OPTIONS[color.transfer] ?? color.transfer]),
  ];
}

/** Whether a pixel format of ffmpeg is RGB or has a palette. */
export function isRgb(pixelFormat: string): boolean {
  return /^(rgb|bgr|gbr|argb|abgr|rgba|bgra|0rgb|pal8)/.test(pixelFormat);
}

/**
 * Bitstream filters that tag the chroma location of H.264 and HEVC, which mean `left` where they do not say. Encoders
 * would do it as well, but not NVENC.
 */
export function chromaLocationFilters(
  { chromaLocation }: OutputColor,
  codec: 'h264' | 'hevc' | 'vp9',
  pixelFormat: string,
): string[] {
  return chromaLocation === 'topleft' && codec !== 'vp9' && isQuartered(pixelFormat)
    ? [`${codec}_metadata=chroma_sample_loc_type=2`]
    : [];
}

/**
 * Whether the colour tags of a file are the expected ones; properties that are null in `expected` are ignored. So is the
 * chroma location, which segments of a job that began with an older version do not have.
 */
export function agrees(found: ColorInfo, expected: OutputColor): boolean {
  return (
    (found.range ?? 'tv') === expected.range &&
    isSameMatrix(found.matrix, expected.matrix) &&
    (expected.primaries === null || found.primaries === expected.primaries) &&
    (expected.transfer === null || found.transfer === expected.transfer)
  );
}

/** The two names of BT.601 mean the same matrix, and VP9 has only one value for them. */
function isSameMatrix(found: string | null, expected: string): boolean {
  return found === expected || (BT601.has(found ?? '') && BT601.has(expected));
}

const BT601: ReadonlySet<string> = new Set(['smpte170m', 'bt470bg']);

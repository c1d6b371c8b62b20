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

/** Exact rounding and full chroma interpolation; with the defaults of swscale, pixels are off by several levels. */
const SCALE_FLAGS = 'flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact';

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

/**
 * Size to which a frame is scaled. A frame with another aspect ratio than the stream (as in a broadcast that changes from
 * 4:3 to 16:9) is fitted and gets black bars; others fill the frame exactly.
 */
function fit({ width, height, sampleAspectRatio: { num, den } }: VideoStreamInfo): string {
  const shape = `dar*${height * den}/${width * num}`;
  const same = `lt(abs(${shape}-1),0.02)`;
  const w = `if(${same},${width},max(2,min(${width},round(${width}*${shape}))))`;
  const h = `if(${same},${height},max(2,min(${height},round(${height}/(${shape})))))`;
  return `w='${w}':h='${h}'`;
}

/**
 * Filter that brings 16-bit RGB to the white that the encoder's conversion expects; empty if it has it. Between YUV and
 * 16-bit RGB, swscale takes 255 * 256 for white in limited range, and fills the lower bits with zeros in full range.
 * From other RGB it makes 65535, which would become brighter than white.
 */
function whiteFilter({ pixelFormat, bitsPerComponent: bits }: VideoStreamInfo, range: 'tv' | 'pc'): string {
  const expected = range === 'tv' ? 255 * 2 ** 8 : 1023 * 2 ** 6;
  const found = isRgb(pixelFormat) ? 65_535 : range === 'tv' ? expected : (2 ** bits - 1) * 2 ** (16 - bits);
  if (found === expected) return '';
  return `,lutrgb=${['r', 'g', 'b'].map((channel) => `${channel}=val*${expected}/${found}`).join(':')}`;
}

/** Filter that converts the frames of a source to packed RGB of the size of the stream. */
export function toRgbFilter(video: VideoStreamInfo, pixelFormat: string): string {
  const { range, matrix } = outputColor(video);
  const input = isRgb(video.pixelFormat)
    ? ''
    : `:in_range=${range}:in_color_matrix=${SWSCALE_MATRICES[matrix] ?? 'auto'}${chromaInputOptions(video)}`;
  // From 8-bit grey to RGB, swscale treats limited range as full range, or rounds up.
  const isGrey = /^(gray|ya8)$/.test(video.pixelFormat);
  const planar = isGrey ? `scale=in_range=${range}:out_range=${range},format=yuv444p,` : '';
  const colors = `${input}:out_range=pc:${SCALE_FLAGS},format=${pixelFormat}`;
  // The `pad` filter does not support 16-bit RGB, so another aspect ratio is stretched there.
  if (pixelFormat !== 'rgb24')
    return `${planar}scale=w=${video.width}:h=${video.height}${colors}${whiteFilter(video, range)}`;
  return `${planar}scale=${fit(video)}${colors},pad=${video.width}:${video.height}:-1:-1`;
}

/** Filter that converts packed RGB to a YUV pixel format with these colours. */
export function fromRgbFilter(color: OutputColor, pixelFormat: string): string {
  const matrix = SWSCALE_MATRICES[color.matrix] ?? 'auto';
  const chroma = chromaOutputOptions(color.chromaLocation, pixelFormat);
  return `scale=in_range=pc:out_range=${color.range}:out_color_matrix=${matrix}${chroma}:${SCALE_FLAGS},format=${pixelFormat}`;
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

function isRgb(pixelFormat: string): boolean {
  return /^(rgb|bgr|gbr|argb|abgr|rgba|bgra|0rgb|pal8)/.test(pixelFormat);
}

/**
 * Bitstream filters that tag the chroma location of H.264 and HEVC, which mean `left` where they do not say. Encoders
 * would do it as well, but not NVENC.
 */
export function chromaLocationFilters(
  { chromaLocation }: OutputColor,
  codec: 'h264' | 'hevc',
  pixelFormat: string,
): string[] {
  return chromaLocation === 'topleft' && isQuartered(pixelFormat)
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
    found.matrix === expected.matrix &&
    (expected.primaries === null || found.primaries === expected.primaries) &&
    (expected.transfer === null || found.transfer === expected.transfer)
  );
}

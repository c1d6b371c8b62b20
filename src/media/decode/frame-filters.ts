import {
  isDeep,
  isRgbFormat,
  type FrameFormat,
  type RgbFormat,
  type VideoStreamInfo,
} from '../../domain/media-info.ts';
import { chromaTurningOptions } from './chroma-position.ts';
import {
  colorInputOptions,
  colorOutputOptions,
  isRgb,
  outputColor,
  type OutputColor,
} from './color-conversion.ts';

/** Exact rounding and full chroma interpolation; with the defaults of swscale, pixels are off by several levels. */
const EXACT = 'accurate_rnd+full_chroma_int+full_chroma_inp+bitexact';

/**
 * Filter that turns the decoded frames of a source into frames of this format: RGB of the size of the stream, or YUV
 * resampled with a three-lobe Lanczos kernel to the size of the output.
 */
export function toFrameFilter(video: VideoStreamInfo, format: FrameFormat): string {
  return isRgbFormat(format.pixelFormat) ? toRgbFilter(video, format) : toYuvFilter(video, format);
}

/**
 * Start of a filter graph for the frames of a source, with the options of the filters that ffmpeg inserts to convert them;
 * empty if its defaults are right.
 */
export function conversionOptions(video: VideoStreamInfo): string {
  const options = chromaTurningOptions(video);
  return options === '' ? '' : `sws_flags=bicubic+${EXACT}${options};`;
}

/** Filter that gives frames the pixel format of an encoder. */
export function toEncoderFilter(
  color: OutputColor,
  { pixelFormat: from }: FrameFormat,
  pixelFormat: string,
): string {
  // The name of a format with full range would not match; the encoder is told the range in its own arguments.
  if (!isRgbFormat(from)) return `format=${pixelFormat}`;
  return `scale=in_range=pc${colorOutputOptions(color, pixelFormat)}:flags=bicubic+${EXACT},format=${pixelFormat}`;
}

function toRgbFilter(video: VideoStreamInfo, format: FrameFormat): string {
  const { width, height, pixelFormat } = format;
  const { range } = outputColor(video);
  // From 8-bit grey to RGB, swscale treats limited range as full range, or rounds up.
  const isGrey = /^(gray|ya8)$/.test(video.pixelFormat);
  const planar = isGrey ? `scale=in_range=${range}:out_range=${range},format=yuv444p,` : '';
  const colors = `${colorInputOptions(video)}:out_range=pc:flags=bicubic+${EXACT},format=${pixelFormat}`;
  // The `pad` filter does not support 16-bit RGB, so another aspect ratio is stretched there.
  if (pixelFormat !== 'rgb24')
    return `${planar}scale=w=${width}:h=${height}${colors}${whiteFilter(video, range)}`;
  return `${planar}scale=${fit(video, format, 1)}${colors},pad=${width}:${height}:-1:-1`;
}

/** Filter that brings 16-bit RGB to the white of frames; empty if it has it. swscale makes other whites in some cases. */
function whiteFilter({ pixelFormat, bitsPerComponent: bits }: VideoStreamInfo, range: 'tv' | 'pc'): string {
  const expected = whiteOf('rgb48le', range);
  const found = isRgb(pixelFormat) ? 65_535 : range === 'tv' ? expected : (2 ** bits - 1) * 2 ** (16 - bits);
  if (found === expected) return '';
  return `,lutrgb=${['r', 'g', 'b'].map((channel) => `${channel}=val*${expected}/${found}`).join(':')}`;
}

/**
 * White of RGB frames. Between YUV and 16-bit RGB, swscale takes 255 * 256 for white in limited range, and fills the lower bits
 * with zeros in full range. From other RGB it makes 65535, which would become brighter than white.
 */
export function whiteOf(pixelFormat: RgbFormat, range: 'tv' | 'pc'): number {
  if (pixelFormat === 'rgb24') return 255;
  return range === 'tv' ? 255 * 2 ** 8 : 1023 * 2 ** 6;
}

function toYuvFilter(video: VideoStreamInfo, format: FrameFormat): string {
  const { width, height, pixelFormat } = format;
  const color = outputColor(video);
  const colors = `${colorInputOptions(video)}${colorOutputOptions(color, pixelFormat)}:flags=lanczos+${EXACT}`;
  // The `pad` filter gives 10 bits a tint, so another aspect ratio is stretched there.
  if (isDeep(pixelFormat)) return `scale=w=${width}:h=${height}${colors},format=${pixelFormat}`;
  // It knows what black is in full range only by the special names of such formats.
  const named = color.range === 'pc' ? pixelFormat.replace('yuv', 'yuvj') : pixelFormat;
  return `scale=${fit(video, format, 2)}${colors},format=${named},pad=${width}:${height}:-1:-1`;
}

/**
 * Size to which a frame is scaled. A frame with another aspect ratio than the stream (as in a broadcast that changes from
 * 4:3 to 16:9) is fitted and gets black bars; others fill the frame exactly.
 *
 * @param step what the size of a fitted frame is a multiple of
 */
function fit(
  { width, height, sampleAspectRatio: { num, den } }: VideoStreamInfo,
  to: Pick<FrameFormat, 'width' | 'height'>,
  step: number,
): string {
  const shape = `dar*${height * den}/${width * num}`;
  const same = `lt(abs(${shape}-1),0.02)`;
  const whole = (length: string): string =>
    step === 1 ? `round(${length})` : `${step}*round(${length}/${step})`;
  const fitted = (length: number, bySize: string): string =>
    `if(${same},${length},max(2,min(${length},${whole(bySize)})))`;
  const w = fitted(to.width, `${to.width}*${shape}`);
  const h = fitted(to.height, `${to.height}/(${shape})`);
  return `w='${w}':h='${h}'`;
}

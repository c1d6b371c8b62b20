import { isDeep, isRgbFormat, type Chroma, type FrameFormat } from '../../domain/media-info.ts';
import type { YuvConversion } from '../../domain/yuv-conversion.ts';
import type { OutputColor } from '../decode/color-conversion.ts';
import { whiteOf } from '../decode/frame-filters.ts';

/** Shares of red and blue in luma, by the name of the matrix in ffprobe. */
const WEIGHTS: Readonly<Record<string, readonly [red: number, blue: number]>> = {
  bt709: [0.2126, 0.0722],
  fcc: [0.3, 0.11],
  bt470bg: [0.299, 0.114],
  smpte170m: [0.299, 0.114],
  smpte240m: [0.212, 0.087],
  bt2020nc: [0.2627, 0.0593],
  bt2020c: [0.2627, 0.0593],
};

/**
 * The conversion of RGB frames to what an encoder reads, with the colours of the finished file; null for frames that ffmpeg has to
 * convert: those that are YUV already, and those with an odd width or height.
 */
export function yuvConversion(
  { width, height, pixelFormat }: FrameFormat,
  { range, matrix, chromaLocation }: OutputColor,
  chroma: Chroma,
): YuvConversion | null {
  const weights = WEIGHTS[matrix];
  if (!isRgbFormat(pixelFormat) || weights === undefined || width % 2 !== 0 || height % 2 !== 0) return null;
  const [red, blue] = weights;
  const deep = isDeep(pixelFormat);
  const white = whiteOf(pixelFormat, range);
  const level = deep ? 4 : 1;
  const largest = deep ? 1023 : 255;
  const [luma, color] = range === 'tv' ? [219 * level, 224 * level] : [largest, largest];
  return {
    pixelFormat: `yuv${chroma}p${deep ? '10le' : ''}`,
    ...{ width, height },
    bytesPerComponent: deep ? 2 : 1,
    halvesColumns: chroma !== '444',
    halvesRows: chroma === '420',
    betweenRows: chromaLocation === 'left',
    ...{ red, green: 1 - red - blue, blue },
    lumaScale: luma / white,
    lumaOffset: range === 'tv' ? 16 * level : 0,
    uScale: color / white / (2 * (1 - blue)),
    vScale: color / white / (2 * (1 - red)),
    chromaOffset: 128 * level,
    largest,
  };
}

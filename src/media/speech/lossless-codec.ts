import type { VideoStreamInfo } from '../../domain/media-info.ts';
import { isRgb } from '../decode/color-conversion.ts';
import { chromaOf } from '../probe/stream-info.ts';

/** How the video under a speech is stored without loss. */
export interface LosslessCodec {
  readonly arguments: readonly string[];
  /** Muxer of ffmpeg. */
  readonly format: 'mp4' | 'mov';
  /** Pixel format that the frames must be converted to, which interpolates their chroma; null: none. */
  readonly convertedTo: string | null;
  /** Bytes on the disk. */
  readonly bytesPerPixel: number;
}

/** Two real clips took 0.05 and 0.23 in H.264, and noise takes more. */
const H264_BYTES_PER_PIXEL = 0.6;

/** H.264 where libx264 has enough bits, and otherwise FFV1, which is larger but stores up to 16 bits. */
export function losslessCodec(
  { pixelFormat, bitsPerComponent: bits }: Pick<VideoStreamInfo, 'pixelFormat' | 'bitsPerComponent'>,
  { width, height }: { readonly width: number; readonly height: number },
): LosslessCodec {
  const isDeepRgb = isRgb(pixelFormat) && bits > 8;
  if (isDeepRgb || bits > 10) {
    const samples = isRgb(pixelFormat) ? 3 : { 420: 1.5, 422: 2, 444: 3 }[chromaOf(pixelFormat)];
    // Every frame is a key frame, and slices are coded at the same time.
    const encoder = ['-c:v', 'ffv1', '-level', '3', '-g', '1'];
    return { arguments: encoder, format: 'mov', convertedTo: null, bytesPerPixel: (samples * bits) / 8 };
  }
  const isOdd = width % 2 === 1 || height % 2 === 1;
  const h264 = ['-qp', '0', '-preset', 'ultrafast', '-g', '25'];
  const name = isRgb(pixelFormat) ? ['-c:v', 'libx264rgb', '-pix_fmt', 'rgb24'] : ['-c:v', 'libx264'];
  return {
    arguments: [...name, ...h264],
    format: 'mp4',
    // H.264 with halved chroma needs an even size.
    convertedTo: isOdd && !isRgb(pixelFormat) ? `yuv444p${bits > 8 ? '10le' : ''}` : null,
    bytesPerPixel: H264_BYTES_PER_PIXEL,
  };
}

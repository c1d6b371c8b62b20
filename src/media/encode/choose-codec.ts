import { isDeep, type FrameFormat } from '../../domain/media-info.ts';
import type { NalCodec } from './encoder-arguments.ts';

/** Largest edge of H.264 on NVENC, on every GPU so far; for HEVC it is 8192. */
export const NVENC_H264_MAX_EDGE = 4096;

/**
 * The codec of a job, chosen once: all segments of a file have the same. Ten bits get HEVC, because few players support
 * High 10.
 *
 * @param nvencHasHevc whether NVENC can encode the output as HEVC, which then is used for frames too large for H.264
 */
export function chooseCodec(
  requested: 'auto' | NalCodec,
  output: FrameFormat,
  nvencHasHevc: () => boolean,
): NalCodec {
  if (requested !== 'auto') return requested;
  if (isTenBit(output)) return 'hevc';
  const isLarge = Math.max(output.width, output.height) > NVENC_H264_MAX_EDGE;
  return isLarge && nvencHasHevc() ? 'hevc' : 'h264';
}

/** Whether frames of this format are encoded with ten bits a component. */
export function isTenBit(format: FrameFormat): boolean {
  return isDeep(format.pixelFormat);
}

import { FfmpegError } from '../../domain/errors.ts';
import { hardwareReason, reasonFromStderr, type HardwareReason } from '../../domain/hardware-reason.ts';
import type { FrameFormat } from '../../domain/media-info.ts';
import { isTenBit, NVENC_H264_MAX_EDGE } from './choose-codec.ts';
import { NVENC_ENCODER, type Codec, type EncoderSettings } from './encoder-arguments.ts';
import { tryEncoder } from './try-encoder.ts';

/**
 * Tries NVENC by encoding two frames of the real size. Only a trial shows whether it works: `ffmpeg -encoders` lists NVENC
 * on machines without a GPU, too.
 *
 * @returns null when it works, else the reason
 */
export async function whyNotNvenc(
  codec: Codec,
  output: FrameFormat,
  settings: EncoderSettings,
  signal?: AbortSignal,
): Promise<HardwareReason | null> {
  const tenBit = isTenBit(output);
  const { width, height } = output;
  if ((settings.chroma ?? '420') !== '420') return hardwareReason('chroma-not-420');
  if (codec === 'h264' && tenBit) return hardwareReason('h264-10-bit');
  if (codec === 'h264' && Math.max(width, height) > NVENC_H264_MAX_EDGE) {
    const most = `${NVENC_H264_MAX_EDGE}x${NVENC_H264_MAX_EDGE}`;
    return { code: 'too-large', text: `${width}x${height} exceeds the ${most} limit of H.264 on NVENC` };
  }
  const encoder = NVENC_ENCODER[codec];
  if (encoder === null) return { code: 'other', text: `NVENC does not encode ${codec}` };
  try {
    await tryEncoder(encoder, output, settings, signal);
    return null;
  } catch (error) {
    if (error instanceof FfmpegError) return nvencReason(error);
    throw error;
  }
}

/** The reason that the last lines of ffmpeg's output show. */
export function nvencReason(error: FfmpegError): HardwareReason {
  if (error.code === 'FFMPEG_STALLED') return hardwareReason('driver-silent');
  return reasonFromStderr(error.stderrTail, error.message);
}

import type { Chroma, HdrMetadata } from '../../domain/media-info.ts';
import { hdrParameters } from '../probe/hdr-metadata.ts';

/** Video codec of the output. */
export type Codec = 'h264' | 'hevc';
export type EncoderName = 'h264_nvenc' | 'hevc_nvenc' | 'libx264' | 'libx265';

export interface EncoderSettings {
  /** Constant rate factor of libx264 and libx265; also used as the constant quality of NVENC. */
  readonly crf: number;
  /** Preset of libx264 and libx265. */
  readonly preset: string;
  /** Fixed for a job, because the output of libx264 depends on the number of threads. */
  readonly threads: number;
  /** Chroma subsampling, 4:2:0 by default; other kinds are encoded on the CPU. */
  readonly chroma?: Chroma;
  /** Whether NVENC uses its fastest preset instead of a good one. */
  readonly lowLatency?: boolean;
}

/**
 * Largest reordering delay of an encoder in frames: libx264, libx265 and NVENC need two with B-frame pyramids. The
 * decoding timestamps of every segment leave room for it, whichever encoder made the segment.
 */
export const REORDER_FRAMES = 2;

/** The CPU encoder for each codec. */
export const SOFTWARE_ENCODER: Readonly<Record<Codec, EncoderName>> = { h264: 'libx264', hevc: 'libx265' };
/** The NVENC encoder for each codec. */
export const NVENC_ENCODER: Readonly<Record<Codec, EncoderName>> = { h264: 'h264_nvenc', hevc: 'hevc_nvenc' };

/** The codec that an encoder writes. */
export function codecOf(encoder: EncoderName): Codec {
  return encoder === 'libx264' || encoder === 'h264_nvenc' ? 'h264' : 'hevc';
}

/** Whether the encoder runs on an NVIDIA GPU. */
export function isNvenc(encoder: EncoderName): boolean {
  return encoder === 'h264_nvenc' || encoder === 'hevc_nvenc';
}

/** The input pixel format of an encoder for 8-bit or 10-bit frames. */
export function encoderPixelFormat(encoder: EncoderName, tenBit: boolean, chroma: Chroma = '420'): string {
  if (tenBit && isNvenc(encoder)) return 'p010le';
  return `yuv${chroma}p${tenBit ? '10le' : ''}`;
}

/** ffmpeg arguments that select and configure an encoder, without colours and timestamps. */
export function encoderArguments(
  encoder: EncoderName,
  settings: EncoderSettings,
  tenBit: boolean,
  hdr: HdrMetadata | null = null,
): string[] {
  const quality = String(settings.crf);
  switch (encoder) {
    case 'libx264':
      return [
        '-c:v',
        'libx264',
        '-preset',
        settings.preset,
        '-crf',
        quality,
        '-threads',
        String(settings.threads),
        ...(hdr === null ? [] : ['-x264-params', hdrParameters(encoder, hdr).join(':')]),
      ];
    case 'libx265':
      return [
        '-c:v',
        'libx265',
        '-preset',
        settings.preset,
        '-crf',
        quality,
        '-x265-params',
        [
          `pools=${settings.threads}:frame-threads=1:log-level=error`,
          ...(hdr === null ? [] : hdrParameters(encoder, hdr)),
        ].join(':'),
      ];
    case 'h264_nvenc':
    case 'hevc_nvenc':
      return [
        '-c:v',
        encoder,
        ...(settings.lowLatency === true
          ? ['-preset', 'p1', '-tune', 'ull', '-bf', '0']
          : ['-preset', 'p5', '-tune', 'hq']),
        '-rc',
        'vbr',
        '-cq',
        quality,
        '-b:v',
        '0',
        ...(tenBit ? ['-profile:v', 'main10'] : []),
      ];
  }
}

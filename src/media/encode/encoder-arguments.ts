import type { Chroma, HdrMetadata } from '../../domain/media-info.ts';
import { hdrParameters } from '../probe/hdr-metadata.ts';

export type Codec = 'h264' | 'hevc';
export type EncoderName = 'h264_nvenc' | 'hevc_nvenc' | 'libx264' | 'libx265';

export interface EncoderSettings {
  /** Constant rate factor of libx264 and libx265; NVENC's constant quality is set to the same number. */
  readonly crf: number;
  /** Preset of libx264 and libx265. */
  readonly preset: string;
  /** Pinned for a job: the bytes of libx264 depend on it (RELIABILITY.md, finding 6). */
  readonly threads: number;
  /** 4:2:0 where it is absent; other chroma is encoded in software. */
  readonly chroma?: Chroma;
  /** NVENC's quickest settings instead of its best. */
  readonly lowLatency?: boolean;
}

/**
 * How many frames an encoder may hold back for reordering. Two is what libx264, libx265 and NVENC need with
 * B-frame pyramids; every segment's decoding timestamps are laid out for it, whichever encoder made it.
 */
export const REORDER_FRAMES = 2;

export const SOFTWARE_ENCODER: Readonly<Record<Codec, EncoderName>> = { h264: 'libx264', hevc: 'libx265' };
export const NVENC_ENCODER: Readonly<Record<Codec, EncoderName>> = { h264: 'h264_nvenc', hevc: 'hevc_nvenc' };

export function codecOf(encoder: EncoderName): Codec {
  return encoder === 'libx264' || encoder === 'h264_nvenc' ? 'h264' : 'hevc';
}

/** Whether the encoder runs on the GPU. */
export function isNvenc(encoder: EncoderName): boolean {
  return encoder === 'h264_nvenc' || encoder === 'hevc_nvenc';
}

/** The pixel format that an encoder wants for frames of this depth. */
export function encoderPixelFormat(encoder: EncoderName, tenBit: boolean, chroma: Chroma = '420'): string {
  if (tenBit && isNvenc(encoder)) return 'p010le';
  return `yuv${chroma}p${tenBit ? '10le' : ''}`;
}

/** Codec arguments of an encoder, without colours and timing. */
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

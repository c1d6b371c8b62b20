import type { Chroma, HdrMetadata } from '../../domain/media-info.ts';
import { hdrParameters } from '../probe/hdr-metadata.ts';

/** Video codec of the output. */
export type Codec = 'h264' | 'hevc' | 'vp9';
/** A codec whose stream consists of NAL units. */
export type NalCodec = Exclude<Codec, 'vp9'>;
export type EncoderName = 'h264_nvenc' | 'hevc_nvenc' | 'libx264' | 'libx265' | 'libvpx-vp9';

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
export const SOFTWARE_ENCODER: Readonly<Record<Codec, EncoderName>> = {
  h264: 'libx264',
  hevc: 'libx265',
  vp9: 'libvpx-vp9',
};
/** The NVENC encoder for each codec that has one. */
export const NVENC_ENCODER = {
  h264: 'h264_nvenc',
  hevc: 'hevc_nvenc',
  vp9: null,
} as const satisfies Readonly<Record<Codec, EncoderName | null>>;

/** The codec that an encoder writes. */
export function codecOf(encoder: EncoderName): Codec {
  if (encoder === 'libvpx-vp9') return 'vp9';
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
    case 'libvpx-vp9':
      return [
        ...['-c:v', 'libvpx-vp9', '-crf', vp9Quality(settings.crf), '-b:v', '0', '-deadline', 'good'],
        ...['-cpu-used', String(VP9_SPEEDS[settings.preset] ?? 2)],
        ...['-row-mt', '1', '-threads', String(settings.threads)],
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

/** The quality of libvpx-vp9 goes to 63, that of libx264 to 51. */
function vp9Quality(crf: number): string {
  return String(Math.round((crf * 63) / 51));
}

/** Speeds of libvpx-vp9, from 0 to 5, for the presets of libx264. */
const VP9_SPEEDS: Readonly<Record<string, number>> = {
  ultrafast: 5,
  superfast: 5,
  veryfast: 4,
  faster: 4,
  fast: 3,
  medium: 2,
  slow: 1,
  slower: 1,
  veryslow: 0,
};

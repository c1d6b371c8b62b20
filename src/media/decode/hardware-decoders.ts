import { readdirSync } from 'node:fs';
import type { FfmpegError } from '../../domain/errors.ts';
import type { MediaInfo, VideoStreamInfo } from '../../domain/media-info.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { measure } from '../../observability/measurements.ts';
import { outputColor } from './color-conversion.ts';
import type { FrameIndex } from '../index/frame-index.ts';

/** Video decoder of a GPU: NVDEC of NVIDIA, or VAAPI. */
export type HardwareDecoder = 'nvdec' | 'vaapi';

const NAMES: Readonly<Record<HardwareDecoder, string>> = { nvdec: 'NVDEC', vaapi: 'VAAPI' };
const ACCELERATORS: Readonly<Record<HardwareDecoder, string>> = { nvdec: 'cuda', vaapi: 'vaapi' };

/** Codecs whose standards define every bit of the image. Decoders of MPEG-2 and older codecs may round differently. */
const EXACT_CODECS = /^(h264|hevc|vp8|vp9|av1)$/;

/** Pixel formats of GPU decoders, with interleaved chroma, and of the frame index, by pixel format of the source. */
const GPU_FORMATS: Readonly<Record<string, { readonly gpu: string; readonly index: string }>> = {
  yuv420p: { gpu: 'nv12', index: 'yuv420p' },
  yuvj420p: { gpu: 'nv12', index: 'yuv420p' },
  yuv420p10le: { gpu: 'p010le', index: 'yuv420p10le' },
};

/** Filters for a clockwise rotation in degrees. ffmpeg rotates automatically only frames that the CPU decoded. */
const ROTATIONS: Readonly<Record<number, readonly string[]>> = {
  0: [],
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
};

/** Additional arguments and access for decoding on a GPU. */
export interface HardwareInput {
  /** Options before `-i`. */
  readonly before: readonly string[];
  /** Filters that turn a frame of the GPU into what the CPU would have decoded, bit for bit. */
  readonly filters: readonly string[];
  /** Devices and folders to which the sandbox must give access. */
  readonly devices: readonly string[];
}

/** Why a source must be decoded on the CPU, as a clause; null if a GPU may decode it. */
export function whyNotInHardware({ video }: MediaInfo, index: FrameIndex): string | null {
  if (!EXACT_CODECS.test(video.codec)) return `GPU decoders of ${video.codec} are not bit-exact`;
  if (GPU_FORMATS[video.pixelFormat] === undefined)
    return `GPU decoding is not used for ${video.pixelFormat}`;
  if (index.fields.treatment !== 'none') return 'the source is interlaced';
  if (video.mirrored) return 'the source is mirrored';
  // Decoders conceal errors in different ways.
  if (index.decoderErrorCount > 0) return 'the source is damaged';
  return null;
}

/**
 * Arguments for decoding on a GPU. The `hwdownload` filter fails on frames that are already in main memory; without it
 * ffmpeg would silently decode on the CPU when the GPU fails.
 */
export function hardwareInput(decoder: HardwareDecoder, video: VideoStreamInfo): HardwareInput {
  const formats = GPU_FORMATS[video.pixelFormat];
  if (formats === undefined) throw new RangeError(`GPU decoding is not used for ${video.pixelFormat}.`);
  const { range } = outputColor(video);
  const accelerator = ACCELERATORS[decoder];
  return {
    before: ['-hwaccel', accelerator, '-hwaccel_output_format', accelerator, '-noautorotate'],
    filters: [
      `hwdownload,format=${formats.gpu}`,
      // Without an explicit range, `scale` treats full range as limited when only the pixel format changes.
      `scale=in_range=${range}:out_range=${range},format=${formats.index}`,
      ...(ROTATIONS[video.rotationDegrees] ?? []),
    ],
    devices: decoder === 'vaapi' ? ['/dev/dri', '/sys'] : nvidiaDevices(),
  };
}

function nvidiaDevices(): string[] {
  return readdirSync('/dev')
    .filter((name) => name.startsWith('nvidia'))
    .map((name) => `/dev/${name}`);
}

/** Why a hardware decoder failed, in a few words. */
export function decoderReason(error: FfmpegError): string {
  if (error.code === 'FFMPEG_STALLED') return withoutFullStop(error.message);
  const [line] = error.stderrTail.split('\n').filter((text) => text.trim() !== '');
  return line?.replace(/^\[[^\]]*\] /, '').trim() ?? error.message;
}

/**
 * Chooses the decoder of a job. States: a hardware decoder is tried → trusted, after its first frame that matches the
 * index → after a failure, the CPU for the rest of the job. When a hardware decoder fails before it is trusted, the next
 * one in the list is tried.
 */
export class DecoderChoice {
  readonly #left: HardwareDecoder[];
  readonly #onChoice: (sentence: string) => void;
  #trusted = false;

  /**
   * @param requested hardware decoders to try in this order, before the CPU
   * @param onChoice called with a log line whenever the choice changes
   */
  constructor(
    requested: readonly HardwareDecoder[],
    source: MediaInfo,
    index: FrameIndex,
    onChoice: (sentence: string) => void,
  ) {
    this.#onChoice = onChoice;
    const why = requested.length === 0 ? null : whyNotInHardware(source, index);
    if (why !== null) onChoice(`decoder: CPU (${why})`);
    this.#left = why === null ? [...requested] : [];
  }

  /** The hardware decoder to use; null for the CPU. */
  get current(): HardwareDecoder | null {
    return this.#left[0] ?? null;
  }

  /** Reports that a frame of the current decoder matches the index. */
  agreed(): void {
    if (this.current === null || this.#trusted) return;
    this.#trusted = true;
    this.#onChoice(
      `decoder: ${NAMES[this.current]} (first frame matches the CPU decoder; every frame is checked)`,
    );
  }

  /** Reports that the current decoder failed at a frame, and why. */
  failed(frame: number, reason: string): void {
    const [failed] = this.#left.splice(0, this.#trusted ? this.#left.length : 1);
    if (failed === undefined) return;
    measure({ kind: 'fallback', of: 'decoder' });
    const next = this.current === null ? 'CPU' : NAMES[this.current];
    const how = this.#trusted ? 'failed' : 'does not work';
    this.#onChoice(`decoder: ${next} from frame ${frame} on: ${NAMES[failed]} ${how} (${reason})`);
  }
}

import { readdirSync } from 'node:fs';
import type { FfmpegError } from '../../domain/errors.ts';
import type { MediaInfo, VideoStreamInfo } from '../../domain/media-info.ts';
import { SILENT } from '../../domain/nvenc-reason.ts';
import { outputColor } from './color-conversion.ts';
import type { FrameIndex } from '../index/frame-index.ts';

export type HardwareDecoder = 'nvdec' | 'vaapi';

const NAMES: Readonly<Record<HardwareDecoder, string>> = { nvdec: 'NVDEC', vaapi: 'VAAPI' };
const ACCELERATORS: Readonly<Record<HardwareDecoder, string>> = { nvdec: 'cuda', vaapi: 'vaapi' };

/** Codecs whose standards fix every bit of an image. In MPEG-2 and older ones each decoder may round as it likes. */
const EXACT_CODECS = /^(h264|hevc|vp8|vp9|av1)$/;

/** What GPUs give for what the index was made of: 4:2:0 with its two colours interleaved. */
const GPU_FORMATS: Readonly<Record<string, { readonly gpu: string; readonly index: string }>> = {
  yuv420p: { gpu: 'nv12', index: 'yuv420p' },
  yuvj420p: { gpu: 'nv12', index: 'yuv420p' },
  yuv420p10le: { gpu: 'p010le', index: 'yuv420p10le' },
};

/** Turning an image clockwise, as ffmpeg does by itself with images that are in memory. */
const TURNS: Readonly<Record<number, readonly string[]>> = {
  0: [],
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
};

/** What a decoding on a GPU needs beside what one on the CPU does. */
export interface HardwareInput {
  /** Options before `-i`. */
  readonly before: readonly string[];
  /** Filters that bring a frame of the GPU to what the CPU would have decoded, bit for bit. */
  readonly filters: readonly string[];
  /** What a sandbox must let it reach. */
  readonly devices: readonly string[];
}

/** Why a source is left to the CPU from its beginning, as the rest of a sentence; null where a GPU may try. */
export function whyNotInHardware({ video }: MediaInfo, index: FrameIndex): string | null {
  if (!EXACT_CODECS.test(video.codec)) return `${video.codec} need not decode alike everywhere`;
  if (GPU_FORMATS[video.pixelFormat] === undefined) return `the source is ${video.pixelFormat}`;
  if (video.interlaced) return 'the source is interlaced';
  if (video.mirrored) return 'the source is mirrored';
  // How broken images are patched up is each decoder's own affair.
  if (index.decoderErrorCount > 0) return 'the source is damaged';
  return null;
}

/**
 * Frames come down through `hwdownload`, which fails on frames that are in memory already: without it ffmpeg would
 * decode on the CPU and say nothing when the GPU rejects.
 */
export function hardwareInput(decoder: HardwareDecoder, video: VideoStreamInfo): HardwareInput {
  const formats = GPU_FORMATS[video.pixelFormat];
  if (formats === undefined) throw new RangeError(`No GPU gives ${video.pixelFormat}.`);
  const { range } = outputColor(video);
  const accelerator = ACCELERATORS[decoder];
  return {
    before: ['-hwaccel', accelerator, '-hwaccel_output_format', accelerator, '-noautorotate'],
    filters: [
      `hwdownload,format=${formats.gpu}`,
      // Full range would be taken for limited where only the pixel format changes.
      `scale=in_range=${range}:out_range=${range},format=${formats.index}`,
      ...(TURNS[video.rotationDegrees] ?? []),
    ],
    devices: decoder === 'vaapi' ? ['/dev/dri', '/sys'] : nvidiaDevices(),
  };
}

function nvidiaDevices(): string[] {
  return readdirSync('/dev')
    .filter((name) => name.startsWith('nvidia'))
    .map((name) => `/dev/${name}`);
}

/** Why a GPU's decoder ended, in a few words. */
export function decoderReason(error: FfmpegError): string {
  if (error.code === 'FFMPEG_STALLED') return SILENT;
  const [line] = error.stderrTail.split('\n').filter((text) => text.trim() !== '');
  return line?.replace(/^\[[^\]]*\] /, '').trim() ?? error.message;
}

/**
 * Which decoder a job uses. States: a GPU's is tried → trusted, with its first frame that agrees with the index → the
 * CPU, for the rest of the job, when it fails. One that fails before it is trusted makes room for the next of the list.
 */
export class DecoderChoice {
  readonly #left: HardwareDecoder[];
  readonly #onChoice: (sentence: string) => void;
  #trusted = false;

  /**
   * @param requested in this order, before the CPU
   * @param onChoice one sentence for the log each time the choice changes
   */
  constructor(
    requested: readonly HardwareDecoder[],
    source: MediaInfo,
    index: FrameIndex,
    onChoice: (sentence: string) => void,
  ) {
    this.#onChoice = onChoice;
    const why = requested.length === 0 ? null : whyNotInHardware(source, index);
    if (why !== null) onChoice(`decoder: the CPU (${why}).`);
    this.#left = why === null ? [...requested] : [];
  }

  /** null: the CPU. */
  get current(): HardwareDecoder | null {
    return this.#left[0] ?? null;
  }

  /** A frame of the current decoder is what the index says. */
  agreed(): void {
    if (this.current === null || this.#trusted) return;
    this.#trusted = true;
    this.#onChoice(`decoder: ${NAMES[this.current]} (its first frame is the CPU's; every one is checked).`);
  }

  /** The current decoder did not give this frame, for this reason. */
  failed(frame: number, reason: string): void {
    const [failed] = this.#left.splice(0, this.#trusted ? this.#left.length : 1);
    if (failed === undefined) return;
    const next = this.current === null ? 'the CPU' : NAMES[this.current];
    const how = this.#trusted ? 'failed in mid-job' : 'does not work here';
    this.#onChoice(`decoder: ${next} from frame ${frame} on, because ${NAMES[failed]} ${how} (${reason}).`);
  }
}

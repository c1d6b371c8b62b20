import { FfmpegError, TransientError } from '../../domain/errors.ts';
import type { FrameFormat } from '../../domain/media-info.ts';
import { isBusyReason, SILENT, whyNoNvenc } from '../../domain/nvenc-reason.ts';
import {
  encoderArguments,
  encoderPixelFormat,
  NVENC_ENCODER,
  SOFTWARE_ENCODER,
  type Codec,
  type EncoderName,
  type EncoderSettings,
} from './encoder-arguments.ts';
import { QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { runForText } from '../ffmpeg/run-for-text.ts';

/** H.264 on NVENC ends at 4096x4096, on every GPU so far; HEVC at 8192x8192. */
const NVENC_H264_MAX_EDGE = 4096;

const TRIAL_TIMEOUT_MS = 15_000;

/** A first failure is forgiven after this time; each further one doubles it, up to an hour. */
const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 3_600_000;

export interface EncoderRequest {
  readonly codec: 'auto' | Codec;
  /** Whether NVENC may be used at all. */
  readonly nvenc: boolean;
}

/** The codec of a job, chosen once: every segment of a file has the same. Ten bits go to HEVC: few players take High 10. */
export function chooseCodec(
  request: EncoderRequest['codec'],
  output: FrameFormat,
  nvencWorks: (codec: Codec) => boolean,
): Codec {
  if (request !== 'auto') return request;
  if (isTenBit(output)) return 'hevc';
  const large = Math.max(output.width, output.height) > NVENC_H264_MAX_EDGE;
  return large && nvencWorks('hevc') ? 'hevc' : 'h264';
}

/** Whether frames of this format are encoded with ten bits a component. */
export function isTenBit(format: FrameFormat): boolean {
  return format.pixelFormat === 'rgb48le';
}

/**
 * Tries NVENC by encoding two frames of the real size. `ffmpeg -encoders` lists it on machines without a GPU, so
 * only doing tells (RELIABILITY.md, finding 8).
 *
 * @returns null when it works, else why it does not, in a few words.
 */
export async function whyNotNvenc(
  codec: Codec,
  output: FrameFormat,
  settings: EncoderSettings,
  signal?: AbortSignal,
): Promise<string | null> {
  const encoder = NVENC_ENCODER[codec];
  const tenBit = isTenBit(output);
  if ((settings.chroma ?? '420') !== '420') return 'NVENC is used for 4:2:0 only';
  if (codec === 'h264' && tenBit) return 'NVENC has no 10-bit H.264';
  if (codec === 'h264' && Math.max(output.width, output.height) > NVENC_H264_MAX_EDGE) {
    return `${output.width}x${output.height} is larger than H.264 on NVENC can be (${NVENC_H264_MAX_EDGE}x${NVENC_H264_MAX_EDGE})`;
  }
  const args = [
    ...QUIET,
    '-f',
    'lavfi',
    '-i',
    `color=size=${output.width}x${output.height}:rate=25`,
    '-frames:v',
    '2',
    '-vf',
    `format=${encoderPixelFormat(encoder, tenBit)}`,
    ...encoderArguments(encoder, settings, tenBit),
    '-f',
    'null',
    '-',
  ];
  try {
    await runForText('ffmpeg', args, { purpose: `trying ${encoder}`, signal, stallMs: TRIAL_TIMEOUT_MS });
    return null;
  } catch (error) {
    if (error instanceof FfmpegError) return nvencReason(error);
    throw error;
  }
}

/** The honest reason in ffmpeg's last words. */
export function nvencReason(error: FfmpegError): string {
  if (error.code === 'FFMPEG_STALLED') return SILENT;
  const lines = error.stderrTail.split('\n').filter((line) => line.trim() !== '');
  return whyNoNvenc(error.stderrTail) ?? lines[0]?.trim() ?? error.message;
}

export interface ChooserOptions {
  readonly codec: Codec;
  readonly output: FrameFormat;
  readonly nvenc: boolean;
  /** Whether software encodes what NVENC cannot; else that is a transient error, and the job waits. */
  readonly softwareFallback: boolean;
  readonly now: () => number;
  /** Tells why NVENC does not work, null when it does; `whyNotNvenc` outside tests. */
  readonly tryNvenc: () => Promise<string | null>;
  /** One sentence for the log each time the choice changes. */
  readonly onChoice: (sentence: string) => void;
}

/**
 * Picks the encoder of the next segment. States: untried → nvenc | software; nvenc → software when a segment fails
 * on it; software → untried again when the time for a new trial has come (one failure is not for ever, A6; sessions that others
 * have are asked for again each minute).
 * With NVENC not wanted: software, always.
 */
export class EncoderChooser {
  readonly #options: ChooserOptions;
  #state: 'untried' | 'nvenc' | 'software' = 'untried';
  #retryAtMs = 0;
  #retryMs = FIRST_RETRY_MS;

  constructor(options: ChooserOptions) {
    this.#options = options;
  }

  /** The encoder to use now. */
  async next(): Promise<EncoderName> {
    const { codec, nvenc, now } = this.#options;
    if (nvenc && (this.#state === 'untried' || (this.#state === 'software' && now() >= this.#retryAtMs))) {
      await this.#try();
    } else if (!nvenc && this.#state === 'untried') {
      this.#state = 'software';
      this.#options.onChoice(
        `encoder: ${SOFTWARE_ENCODER[codec]} (NVENC is switched off; \`framekiln config show --why encoder.nvenc\` tells why).`,
      );
    }
    return this.#state === 'nvenc' ? NVENC_ENCODER[codec] : SOFTWARE_ENCODER[codec];
  }

  /** A segment failed on NVENC, for this reason: software from here on, until the next trial. */
  nvencFailed(reason: string): void {
    this.#fallBack(`${NVENC_ENCODER[this.#options.codec]} failed in mid-job`, reason);
  }

  async #try(): Promise<void> {
    const { codec, tryNvenc, onChoice } = this.#options;
    const before = this.#state;
    const reason = await tryNvenc();
    if (reason === null) {
      this.#state = 'nvenc';
      onChoice(`encoder: ${NVENC_ENCODER[codec]} (a trial encode at this size worked).`);
      return;
    }
    if (before === 'untried') this.#fallBack(`${NVENC_ENCODER[codec]} does not work here`, reason);
    else this.#postpone(reason);
  }

  #fallBack(what: string, reason: string): void {
    const { codec, softwareFallback, onChoice } = this.#options;
    if (!softwareFallback)
      throw new TransientError(
        'ENCODER_BUSY',
        `${what} (${reason}), and encoder.softwareFallback allows no other encoder.`,
      );
    this.#state = 'software';
    this.#postpone(reason);
    onChoice(`encoder: ${SOFTWARE_ENCODER[codec]}, because ${what} (${reason}).`);
  }

  #postpone(reason: string): void {
    this.#retryAtMs = this.#options.now() + (isBusyReason(reason) ? FIRST_RETRY_MS : this.#retryMs);
    if (!isBusyReason(reason)) this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }
}

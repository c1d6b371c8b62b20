import { toError } from '../domain/errors.ts';
import { isNvenc, codecOf, encoderArguments, encoderPixelFormat } from '../media/encode/encoder-arguments.ts';
import type { EncoderName, EncoderSettings } from '../media/encode/encoder-arguments.ts';
import { whyNotNvenc } from '../media/encode/try-nvenc.ts';
import { benchmarkFfmpeg } from './benchmark-ffmpeg.ts';

/** Size of the encoded frames. */
export const ENCODED_SIZE = { width: 1920, height: 1080 } as const;
const FRAMES = 30;
const TIMEOUT_MS = 120_000;

/** How fast an encoder is with the settings of jobs. */
export interface EncoderSpeed {
  readonly encoder: EncoderName;
  /** Frames of 1920x1080 per second; null if the encoder does not work. */
  readonly framesPerSecond: number | null;
  /** Why it does not work; null if it does. */
  readonly reason: string | null;
}

/** Encodes a moving pattern of 1920x1080 with all cores, and subtracts the time that drawing the pattern takes. */
export async function measureEncoder(encoder: EncoderName, settings: EncoderSettings): Promise<EncoderSpeed> {
  try {
    if (isNvenc(encoder)) {
      const why = await whyNotNvenc(codecOf(encoder), { ...ENCODED_SIZE, pixelFormat: 'rgb24' }, settings);
      if (why !== null) return { encoder, framesPerSecond: null, reason: why.text };
    }
    const pattern = patternArguments(encoder);
    const drawn = await benchmarkFfmpeg(pattern, TIMEOUT_MS);
    const encoded = await benchmarkFfmpeg(
      [...pattern, ...encoderArguments(encoder, settings, false)],
      TIMEOUT_MS,
    );
    const elapsedMs = Math.max(1, encoded.elapsedMs - drawn.elapsedMs);
    return { encoder, framesPerSecond: (FRAMES * 1000) / elapsedMs, reason: null };
  } catch (error) {
    return { encoder, framesPerSecond: null, reason: toError(error).message };
  }
}

function patternArguments(encoder: EncoderName): string[] {
  const { width, height } = ENCODED_SIZE;
  const source = `testsrc2=s=${width}x${height}:r=30,format=${encoderPixelFormat(encoder, false)}`;
  return ['-f', 'lavfi', '-i', source, '-frames:v', String(FRAMES)];
}

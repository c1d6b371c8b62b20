import type { FrameFormat } from '../../domain/media-info.ts';
import { QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { runForText } from '../ffmpeg/run-for-text.ts';
import { isTenBit } from './choose-codec.ts';
import {
  encoderArguments,
  encoderPixelFormat,
  type EncoderName,
  type EncoderSettings,
} from './encoder-arguments.ts';

const TRIAL_TIMEOUT_MS = 15_000;

/** Encodes two frames with an encoder. @throws FfmpegError when the encoder does not work */
export async function tryEncoder(
  encoder: EncoderName,
  output: FrameFormat,
  settings: EncoderSettings,
  signal?: AbortSignal,
): Promise<void> {
  const tenBit = isTenBit(output);
  const source = ['-f', 'lavfi', '-i', `color=size=${output.width}x${output.height}:rate=25`];
  const format = ['-frames:v', '2', '-vf', `format=${encoderPixelFormat(encoder, tenBit)}`];
  const args = [...QUIET, ...source, ...format, ...encoderArguments(encoder, settings, tenBit)];
  await runForText('ffmpeg', [...args, '-f', 'null', '-'], {
    purpose: `trying ${encoder}`,
    signal,
    stallMs: TRIAL_TIMEOUT_MS,
  });
}

/** Encodes a tenth of a second of silence with an encoder. @throws FfmpegError when the encoder does not work */
export async function tryAudioEncoder(encoder: string, signal?: AbortSignal): Promise<void> {
  const source = ['-f', 'lavfi', '-i', 'anullsrc=r=48000', '-t', '0.1'];
  await runForText('ffmpeg', [...QUIET, ...source, '-c:a', encoder, '-f', 'null', '-'], {
    purpose: `trying ${encoder}`,
    signal,
    stallMs: TRIAL_TIMEOUT_MS,
  });
}

/** Makes a tiny GIF. @throws FfmpegError when its encoder or one of its filters does not work */
export async function tryGif(signal?: AbortSignal): Promise<void> {
  const source = ['-f', 'lavfi', '-i', 'color=size=16x16:rate=25:duration=0.08'];
  const filter = ['-lavfi', 'split[a][b];[a]palettegen[p];[b][p]paletteuse'];
  await runForText('ffmpeg', [...QUIET, ...source, ...filter, '-c:v', 'gif', '-f', 'null', '-'], {
    purpose: 'trying gif',
    signal,
    stallMs: TRIAL_TIMEOUT_MS,
  });
}

import { FfmpegError, TransientError } from '../../domain/errors.ts';
import type { JobPlan } from '../../domain/job.ts';
import type { FrameFormat } from '../../domain/media-info.ts';
import { tryAudioEncoder, tryEncoder, tryGif } from '../../media/encode/try-encoder.ts';
import { SOFTWARE_ENCODER } from '../../media/encode/encoder-arguments.ts';
import { OPUS_ENCODER, type StreamPlan } from '../../media/join/stream-plan.ts';

/**
 * Checks that this ffmpeg has the encoders and filters that WebM or GIF needs, which not every ffmpeg has, before days of work depend on them.
 *
 * @throws TransientError ENCODER_MISSING
 */
export async function assertEncodersWork(
  { fates }: StreamPlan,
  { container, encoder }: JobPlan,
  output: FrameFormat,
  signal: AbortSignal,
): Promise<void> {
  if (container === 'gif') await explained('GIF', 'gif', () => tryGif(signal));
  if (container !== 'webm') return;
  const name = SOFTWARE_ENCODER.vp9;
  await explained('WebM', name, () => tryEncoder(name, output, encoder, signal));
  if (fates.some((fate) => fate.codec === 'opus'))
    await explained('WebM', OPUS_ENCODER, () => tryAudioEncoder(OPUS_ENCODER, signal));
}

async function explained(format: string, encoder: string, attempt: () => Promise<void>): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    throw new TransientError(
      'ENCODER_MISSING',
      `${format} needs the encoder ${encoder}, which does not work in this ffmpeg (${lastLine(error)}); install an ffmpeg that has it, or choose another output.container.`,
      { cause: error },
    );
  }
}

function lastLine({ stderrTail, message }: FfmpegError): string {
  return stderrTail.trim().split('\n').at(-1) || message;
}
